"""A course platform on FastAPI: logins that cannot be guessed at, an API with limits, and a budget of tokens.

Run it with `python examples/fastapi_app.py`; DATABASE_URL names another database than the file `example.db`. Then look
at http://127.0.0.1:8000/docs, or:

    curl -c jar -b jar --json '{"user": "ann", "password": "lecture"}' http://127.0.0.1:8000/professor/login
    curl -b jar http://127.0.0.1:8000/professor/me
    curl -H 'Authorization: Bearer key-of-physics' --json '{"text": "Why?"}' http://127.0.0.1:8000/api/ask
"""

# No `from __future__ import annotations`: FastAPI could not resolve what is local to a function.

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel

import ragstore
from ragstore import AsyncStore, Charge, Policy, Session, SessionRules
from ragstore.errors import InvalidInput
from ragstore.integrations.fastapi import (
    RESPONSES,
    AsyncBrowserSession,
    RateLimit,
    RateLimitMiddleware,
    SessionCookie,
    SessionMiddleware,
    browser_session,
    check,
    client_key,
    current_session,
    take,
)
from ragstore.rate_limits import folded

# A real application has these in tables, and hashes of the passwords.
USERS = {"ann": ("lecture", "professor"), "bob": ("homework", "student")}
API_KEYS = {"key-of-physics": "physics", "key-of-history": "history"}

# Of one user's attempts from one address, and of all attempts on one user, wherever they come from.
LOGIN = Policy("login", "5/minute; 20/hour")
LOGIN_OF_USER = Policy("login-user", "100/hour")
API = Policy("api", "60/minute")
# An organisation's tokens in a day (UTC). A crash of the server must not give any of them back.
TOKENS = Policy("tokens", "100000/day", algorithm="fixed", durable=True)
MOST_TOKENS = 2_000


class Credentials(BaseModel):
    """What a login form sends."""

    user: str
    password: str
    device: str | None = None


class Question(BaseModel):
    """What is asked."""

    text: str


def make_app(url: str, *, https: bool = True) -> FastAPI:
    """Make the application on a database, whose schema is brought up to date."""
    ragstore.upgrade(url)
    store = AsyncStore.open(url)
    store.sessions.define(
        SessionRules("professor", idle=30 * 60, absolute=8 * 3600, max_sessions=3),
        SessionRules("student", idle=7 * 86400, absolute=30 * 86400, max_sessions=5),
    )

    @asynccontextmanager
    async def closing(_app: FastAPI) -> AsyncIterator[None]:
        async with store:
            yield

    app = FastAPI(title="Courses", responses=RESPONSES, lifespan=closing)
    for kind in ("professor", "student"):
        app.include_router(_logins(store, kind))
        app.add_middleware(SessionMiddleware, store=store, kind=kind, cookie=SessionCookie(kind, secure=https))
    # By address, so that keys cannot be guessed at. Behind a proxy: trusted_proxies=["10.0.0.0/8"].
    app.add_middleware(RateLimitMiddleware, store=store, limits=[RateLimit("600/minute")])
    app.add_exception_handler(InvalidInput, _bad_request)
    _add_api(app, store)
    return app


async def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400)


def _logins(store: AsyncStore, kind: str) -> APIRouter:
    router = APIRouter(prefix=f"/{kind}", tags=[kind])
    Browser = Annotated[AsyncBrowserSession, Depends(browser_session(kind))]  # noqa: N806 - a type
    LoggedIn = Annotated[Session, Depends(current_session(kind, cookie=kind))]  # noqa: N806

    @router.post("/login")
    async def log_in(given: Credentials, browser: Browser, request: Request) -> dict[str, str]:
        user = folded(given.user)
        attempt = (kind, client_key(request), user)
        await take(request, Charge(LOGIN, attempt), Charge(LOGIN_OF_USER, (kind, user)))
        expected, role = USERS.get(user, ("", ""))
        if role != kind or not compare_digest(given.password.encode(), expected.encode()):
            raise HTTPException(403, "wrong user or password")
        await browser.login(user, label=given.device)
        await store.rate_limits.reset(LOGIN, attempt)  # who knows the password need not wait
        return {"user": user}

    @router.get("/me")
    async def me(session: LoggedIn, browser: Browser) -> dict[str, Any]:
        browser["visits"] = browser.get("visits", 0) + 1
        devices = await store.sessions.list_user(str(session.user_id), kind=kind, current=browser.token)
        shown = [{"label": one.label, "last_seen": one.last_seen_at, "this": one.is_current} for one in devices]
        return {"user": session.user_id, "visits": browser["visits"], "devices": shown}

    @router.post("/logout")
    async def log_out(browser: Browser) -> None:
        await browser.logout()

    @router.post("/logout-everywhere")
    async def log_out_everywhere(session: LoggedIn, browser: Browser) -> dict[str, int]:
        await browser.logout()
        return {"ended": 1 + await store.sessions.revoke_user(str(session.user_id), kind=kind)}

    return router


def _organisation(request: Any) -> str:
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if key not in API_KEYS:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return API_KEYS[key]


def _add_api(app: FastAPI, store: AsyncStore) -> None:
    by_key = RateLimit(API, key=_organisation)

    @app.post("/api/ask", dependencies=[Depends(HTTPBearer()), Depends(by_key)])
    async def ask(question: Question, request: Request) -> dict[str, Any]:
        organisation = _organisation(request)
        reservation = await store.rate_limits.reserve(TOKENS, organisation, MOST_TOKENS)
        check(request, reservation.decision)
        used = 0  # if the model fails, the organisation pays nothing
        try:
            answer, used = await ask_the_model(question.text)
        finally:
            await store.rate_limits.settle(reservation, used)
        left = (await store.rate_limits.peek(TOKENS, organisation)).remaining
        return {"answer": answer, "tokens": used, "left": left}


async def ask_the_model(question: str) -> tuple[str, int]:
    """Stand in for a language model: an answer, and how many tokens it took."""
    return f"That is a good question: {question}", 10 * len(question.split())


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(make_app(os.environ.get("DATABASE_URL", "sqlite:///example.db"), https=False))
