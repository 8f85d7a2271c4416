import secrets
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

import stores

router = APIRouter(prefix="/drafts")


async def user_of(token: str) -> str:
    try:
        return stores.tokens[token]
    except KeyError:
        raise HTTPException(401, "sign in first") from None


@router.post("", status_code=201)
async def keep_draft(request: Request, x_token: Annotated[str, Header()]) -> dict[str, str]:
    user = await user_of(x_token)
    draft_id = secrets.token_hex(8)
    content: bytes = await request.body()
    stores.drafts[draft_id] = content
    stores.downloads[draft_id] = 0
    return {"draft_id": draft_id, "author": user}


@router.get("/{draft_id}")
async def fetch_draft(draft_id: str) -> Response:
    content = stores.drafts.get(draft_id)
    if content is None:
        raise HTTPException(404, "no such draft")
    stores.downloads[draft_id] += 1
    return Response(content, media_type="text/plain")


@router.get("/{draft_id}/downloads")
async def count_downloads(draft_id: str) -> dict[str, int]:
    return {"downloads": stores.downloads.get(draft_id, 0)}


@router.post("/{draft_id}/publish")
async def publish(draft_id: str, x_token: Annotated[str, Header()]) -> dict[str, str | int]:
    user = await user_of(x_token)
    if draft_id not in stores.drafts:
        raise HTTPException(404, "no such draft")
    content = stores.drafts.pop(draft_id)
    stores.downloads.pop(draft_id, None)
    return {"published": content.decode(), "author": user}
