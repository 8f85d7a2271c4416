"""A small publishing service: sign in, keep a draft, publish it."""

import secrets

from fastapi import FastAPI
from pydantic import BaseModel

import stores
from drafts import router

app = FastAPI(title="drafts")
app.include_router(router)

visits: int = 0


class SignIn(BaseModel):
    user: str


@app.post("/sign-in")
async def sign_in(body: SignIn) -> dict[str, str]:
    token = secrets.token_hex(20)
    stores.tokens[token] = body.user
    return {"token": token}


@app.delete("/sign-in/{token}")
async def sign_out(token: str) -> dict[str, str | None]:
    user = stores.tokens.pop(token, None)
    return {"signed_out": user}


@app.get("/visits")
async def count_visit() -> dict[str, int]:
    global visits
    visits += 1
    return {"visits": visits}
