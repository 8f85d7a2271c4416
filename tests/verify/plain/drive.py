module = "app"
provides = {"new_id": "secrets:token_hex"}


def drive(http):
    job = http.call("begin", "tidy up")
    http.call("last")
    http.call("keep", b"\x00\xff")
    http.call("finish", job)
    http.call("finish", job)
    http.call("last")
