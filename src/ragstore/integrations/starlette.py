"""Starlette: rate limits and sessions, as pure ASGI middleware. Needs the extra `starlette`.

from ragstore.integrations.starlette import RateLimit, RateLimitMiddleware, SessionMiddleware, open_session

app.add_middleware(RateLimitMiddleware, store=store)
app.add_middleware(SessionMiddleware, store=store)
"""

from ragstore.errors import MissingExtra

try:
    import starlette  # noqa: F401 - the library, which this module is named after
except ModuleNotFoundError as error:
    raise MissingExtra("starlette", "ragstore.integrations.starlette") from error

from ragstore.integrations._asgi import LimitsUnavailable, NotLoggedIn, RateLimited, Refusal
from ragstore.integrations._asgi_limits import RateLimit, RateLimitMiddleware, RateLimits, check, client_key, take
from ragstore.integrations._asgi_sessions import (
    AsyncBrowserSession,
    SessionMiddleware,
    clear_session_cookie,
    open_session,
    set_session_cookie,
)
from ragstore.integrations._cookies import SessionCookie

__all__ = [
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
    "check",
    "clear_session_cookie",
    "client_key",
    "open_session",
    "set_session_cookie",
    "take",
]
