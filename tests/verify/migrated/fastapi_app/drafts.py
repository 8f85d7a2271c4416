import secrets
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

import stores

router = APIRouter(prefix="/drafts")


async def user_of(token: str) -> str:
    user = await stores.redis_client.get(f"token:{token}")
    if user is None:
        raise HTTPException(401, "sign in first") from None
    return user


@router.post("", status_code=201)
async def keep_draft(request: Request, x_token: Annotated[str, Header()]) -> dict[str, str]:
    user = await user_of(x_token)
    draft_id = secrets.token_hex(8)
    content: bytes = await request.body()
    await stores.redis_bytes.set(f"draft:{draft_id}", content)
    await stores.redis_client.set(f"downloads:{draft_id}", 0)
    return {"draft_id": draft_id, "author": user}


@router.get("/{draft_id}")
async def fetch_draft(draft_id: str) -> Response:
    content = await stores.redis_bytes.get(f"draft:{draft_id}")
    if content is None:
        raise HTTPException(404, "no such draft")
    await stores.redis_client.incrby(f"downloads:{draft_id}", 1)
    return Response(content, media_type="text/plain")


@router.get("/{draft_id}/downloads")
async def count_downloads(draft_id: str) -> dict[str, int]:
    return {"downloads": int(await stores.redis_client.get(f"downloads:{draft_id}") or 0)}


@router.post("/{draft_id}/publish")
async def publish(draft_id: str, x_token: Annotated[str, Header()]) -> dict[str, str | int]:
    user = await user_of(x_token)
    content = await stores.redis_bytes.getdel(f"draft:{draft_id}")
    if content is None:
        raise HTTPException(404, "no such draft")
    await stores.redis_client.delete(f"downloads:{draft_id}")
    return {"published": content.decode(), "author": user}
