"""Flask: rate limits for views, and `flask.session` in the store. Needs the extra `flask`.

from ragstore.integrations.flask import RateLimiter, StoreSessionInterface, login, logout

app.session_interface = StoreSessionInterface(store)
limiter = RateLimiter(app, store=store)
"""

from ragstore.errors import MissingExtra

try:
    import flask  # noqa: F401 - the library, which this module is named after
except ModuleNotFoundError as error:
    raise MissingExtra("flask", "ragstore.integrations.flask") from error

from ragstore.integrations._flask_limits import LimitsUnavailable, RateLimited, RateLimiter
from ragstore.integrations._flask_sessions import StoreSession, StoreSessionInterface, login, logout, session_for

__all__ = [
    "LimitsUnavailable",
    "RateLimited",
    "RateLimiter",
    "StoreSession",
    "StoreSessionInterface",
    "login",
    "logout",
    "session_for",
]
