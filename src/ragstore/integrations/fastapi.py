"""FastAPI: rate limits and sessions as dependencies. Needs the extra `fastapi`.

    from ragstore.integrations.fastapi import RateLimit, RateLimitMiddleware, SessionMiddleware, current_session

    app.add_middleware(RateLimitMiddleware, store=store)
    app.add_middleware(SessionMiddleware, store=store, kind="login")

    @app.get("/me", dependencies=[Depends(RateLimit("60/minute"))])
    async def me(session: Annotated[Session, Depends(current_session())]): ...

The rest is that of `ragstore.integrations.starlette`.
"""

# No `from __future__ import annotations`: FastAPI reads those of a dependency, and could not resolve them here.

from collections.abc import Awaitable, Callable
from typing import Any, Final

from ragstore.errors import MissingExtra

try:
    from fastapi.openapi.models import APIKey
    from fastapi.security.base import SecurityBase
    from starlette.requests import HTTPConnection
except ModuleNotFoundError as error:
    raise MissingExtra("fastapi", "ragstore.integrations.fastapi") from error

from ragstore.integrations.starlette import (
    AsyncBrowserSession,
    LimitsUnavailable,
    NotLoggedIn,
    RateLimit,
    RateLimited,
    RateLimitMiddleware,
    RateLimits,
    Refusal,
    SessionCookie,
    SessionMiddleware,
    check,
    clear_session_cookie,
    client_key,
    open_session,
    set_session_cookie,
    take,
)
from ragstore.sessions.records import Session

__all__ = [
    "RESPONSES",
    "AsyncBrowserSession",
    "LimitsUnavailable",
    "NotLoggedIn",
    "RateLimit",
    "RateLimited",
    "RateLimitMiddleware",
    "RateLimits",
    "Refusal",
    "SessionCookie",
    "SessionMiddleware",
    "browser_session",
    "check",
    "clear_session_cookie",
    "client_key",
    "current_session",
    "open_session",
    "set_session_cookie",
    "take",
]

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": description, "content": {"application/problem+json": {"schema": {"type": "object"}}}}
    for status, description in ((401, "Not logged in"), (429, "Over a rate limit"), (503, "Limits cannot be checked"))
}
"""What the middleware may answer, for OpenAPI: `FastAPI(responses=RESPONSES)`, or a route's own choice of them."""


class _CurrentSession(SecurityBase):
    """A dependency that OpenAPI shows as a cookie."""

    def __init__(self, kind: str, cookie: str, required: bool) -> None:
        self.model = APIKey.model_validate({"in": "cookie", "name": cookie})
        self.scheme_name = f"{kind} session"
        self._kind = kind
        self._required = required

    async def __call__(self, connection: HTTPConnection) -> Session | None:
        browser = await open_session(connection, self._kind)
        if browser.user_id is not None:
            return browser.stored
        if self._required:
            raise NotLoggedIn(self._kind, browser.cookie.name)
        return None


def current_session(
    kind: str = "login", *, required: bool = True, cookie: str = "session"
) -> Callable[[HTTPConnection], Awaitable[Session | None]]:
    """Make a dependency that gives the session of a logged-in user.

    It needs a `SessionMiddleware` of this kind. OpenAPI shows the cookie as a security scheme.

    Args:
        kind: The kind.
        required: Where nobody is logged in, answer with 401 and problem details; False: give None.
        cookie: The cookie's name, for OpenAPI only.

    Returns:
        A dependency; `Annotated[Session, Depends(current_session())]`.
    """
    return _CurrentSession(kind, cookie, required)


def browser_session(kind: str = "web") -> Callable[[HTTPConnection], Awaitable[AsyncBrowserSession]]:
    """Make a dependency that gives the browser's session, whoever it is, to write to, to log in and out.

    It needs a `SessionMiddleware` of this kind.
    """

    async def opened(connection: HTTPConnection) -> AsyncBrowserSession:
        return await open_session(connection, kind)

    return opened
