import hashlib
import secrets

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from stores import login_counts, tokens, uploads

bp = Blueprint("photos", __name__)


def current_user() -> str | None:
    token: str = request.headers.get("X-Token", "")
    return tokens.get(token)


@bp.post("/login")
def login() -> ResponseReturnValue:
    user: str = request.get_json()["user"]
    token = secrets.token_urlsafe(24)
    tokens[token] = user
    if user not in login_counts:
        login_counts[user] = 0
    login_counts[user] += 1
    return jsonify({"token": token, "logins": login_counts[user]})


@bp.get("/whoami")
def whoami() -> ResponseReturnValue:
    token: str = request.headers.get("X-Token", "")
    try:
        user = tokens[token]
    except KeyError:
        return jsonify({"error": "not logged in"}), 401
    return jsonify({"user": user, "logins": login_counts.get(user, 0)})


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    token: str = request.headers.get("X-Token", "")
    user = tokens.pop(token, None)
    if user is None:
        return jsonify({"error": "not logged in"}), 401
    return jsonify({"bye": user})


@bp.post("/uploads")
def start_upload() -> ResponseReturnValue:
    if current_user() is None:
        return jsonify({"error": "not logged in"}), 401
    upload_id = secrets.token_hex(16)
    content: bytes = request.get_data()
    uploads[upload_id] = content
    return jsonify({"upload_id": upload_id, "size": len(content)}), 201


@bp.get("/uploads/<upload_id>")
def show_upload(upload_id: str) -> ResponseReturnValue:
    if upload_id not in uploads:
        return jsonify({"error": "no such upload"}), 404
    return Response(uploads[upload_id], mimetype="application/octet-stream")


@bp.post("/uploads/<upload_id>/complete")
def complete_upload(upload_id: str) -> ResponseReturnValue:
    if current_user() is None:
        return jsonify({"error": "not logged in"}), 401
    content = uploads.get(upload_id)
    if content is None:
        return jsonify({"error": "no such upload"}), 404
    del uploads[upload_id]
    return jsonify({"upload_id": upload_id, "sha256": hashlib.sha256(content).hexdigest()})
