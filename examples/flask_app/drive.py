"""What a user of this app does, for `unstate verify`."""

app = "app:app"


def drive(http):
    picture = bytes(range(256)) * 20
    http.get("/whoami")
    token = http.post("/login", json={"user": "ann"}).json()["token"]
    ann = {"X-Token": token}
    http.get("/whoami", headers=ann)
    http.get("/whoami", headers={"X-Token": "made up"})
    http.post("/uploads", content=picture)
    upload_id = http.post("/uploads", content=picture, headers=ann).json()["upload_id"]
    http.get(f"/uploads/{upload_id}")
    second = http.post("/login", json={"user": "ann"}).json()["token"]
    http.get("/whoami", headers={"X-Token": second})
    http.post("/login", json={"user": "bob"})
    http.post(f"/uploads/{upload_id}/complete", headers=ann)
    http.post(f"/uploads/{upload_id}/complete", headers=ann)
    http.get(f"/uploads/{upload_id}")
    http.post("/logout", headers=ann)
    http.post("/logout", headers=ann)
    http.get("/whoami", headers=ann)
    http.get("/whoami", headers={"X-Token": second})
