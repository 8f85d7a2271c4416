import time

module = "app"
provides = {"new_id": "secrets:token_hex"}


def drive(http):
    job = http.call("begin", "tidy up")
    http.call("last")
    http.call("keep", b"\x00\xff")
    http.call("finish", job)
    http.call("finish", job)
    http.call("last")
    http.call("hit", "home")
    http.call("hit", "home")
    http.call("claim", "blue", "ann")
    http.call("claim", "blue", "bob")
    http.call("send_code", "ann")
    http.call("grant", "ann:x", "y", "read")
    http.call("grant", "ann", "x:y", "write")
    http.call("right_of", "ann:x", "y")
    http.call("add_to_cart", "c", "pen", 4)
    http.call("add_to_cart", "c", "pen", 7)
    http.call("cart_of", "c")
    time.sleep(0.05)  # the codes live for 30 s, not for 30 ms
    http.call("check_code", "ann", "1234")
    http.call("check_code", "ann", "9999")
