"""What a user of this app does, for `unstate verify`."""

app = "main:app"


def drive(http):
    http.get("/visits")
    token = http.post("/sign-in", json={"user": "ann"}).json()["token"]
    ann = {"X-Token": token}
    http.post("/drafts", content=b"nobody", headers={"X-Token": "made up"})
    draft = http.post("/drafts", content="héllo".encode(), headers=ann).json()["draft_id"]
    http.get("/visits")
    http.get(f"/drafts/{draft}")
    http.get(f"/drafts/{draft}")
    http.get(f"/drafts/{draft}/downloads")
    http.post(f"/drafts/{draft}/publish", headers=ann)
    http.post(f"/drafts/{draft}/publish", headers=ann)
    http.get(f"/drafts/{draft}")
    http.get(f"/drafts/{draft}/downloads")
    http.delete(f"/sign-in/{token}")
    http.delete(f"/sign-in/{token}")
    http.post("/drafts", content=b"late", headers=ann)
    http.get("/visits")
