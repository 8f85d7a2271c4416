import hashlib
import secrets

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from stores import UPLOAD_BUCKET, redis_client, s3

bp = Blueprint("photos", __name__)


def found(value: str | None, key: str) -> str:
    if value is None:
        raise KeyError(key)
    return value


def stored(upload_id: str) -> bytes | None:
    try:
        return s3.get_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


def current_user() -> str | None:
    token: str = request.headers.get("X-Token", "")
    return redis_client.get(f"token:{token}")


@bp.post("/login")
def login() -> ResponseReturnValue:
    user: str = request.get_json()["user"]
    token = secrets.token_urlsafe(24)
    redis_client.set(f"token:{token}", user, ex=3600)
    logins = redis_client.incrby(f"logins:{user}", 1)
    return jsonify({"token": token, "logins": logins})


@bp.get("/whoami")
def whoami() -> ResponseReturnValue:
    token: str = request.headers.get("X-Token", "")
    try:
        user = found(redis_client.get(f"token:{token}"), token)
    except KeyError:
        return jsonify({"error": "not logged in"}), 401
    return jsonify({"user": user, "logins": int(redis_client.get(f"logins:{user}") or 0)})


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    token: str = request.headers.get("X-Token", "")
    user = redis_client.getdel(f"token:{token}")
    if user is None:
        return jsonify({"error": "not logged in"}), 401
    return jsonify({"bye": user})


@bp.post("/uploads")
def start_upload() -> ResponseReturnValue:
    if current_user() is None:
        return jsonify({"error": "not logged in"}), 401
    upload_id = secrets.token_hex(16)
    content: bytes = request.get_data()
    s3.put_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}", Body=content)
    return jsonify({"upload_id": upload_id, "size": len(content)}), 201


@bp.get("/uploads/<upload_id>")
def show_upload(upload_id: str) -> ResponseReturnValue:
    content = stored(upload_id)
    if content is None:
        return jsonify({"error": "no such upload"}), 404
    return Response(content, mimetype="application/octet-stream")


@bp.post("/uploads/<upload_id>/complete")
def complete_upload(upload_id: str) -> ResponseReturnValue:
    if current_user() is None:
        return jsonify({"error": "not logged in"}), 401
    content = stored(upload_id)
    if content is None or not redis_client.set(f"completed:{upload_id}", 1, nx=True):
        return jsonify({"error": "no such upload"}), 404
    s3.delete_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}")
    return jsonify({"upload_id": upload_id, "sha256": hashlib.sha256(content).hexdigest()})
