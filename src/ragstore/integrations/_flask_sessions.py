"""`flask.session` in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from flask import Flask, Request, Response, session
from flask.sessions import SessionInterface, SessionMixin

from ragstore.errors import UsageError
from ragstore.integrations._browser import BrowserSession, Device, ask
from ragstore.integrations._cookies import cookie_name
from ragstore.integrations._limits import client_address
from ragstore.rate_limits import TrustedProxies
from ragstore.rate_limits.network import Network
from ragstore.sessions._sync import Sessions
from ragstore.sessions.records import Session
from ragstore.store._sync import Store


class StoreSession(BrowserSession, SessionMixin):
    """`flask.session`, kept in the store and read when it is first used."""

    def __init__(self, interface: StoreSessionInterface, app: Flask, request: Request, kind: str, cookie: str) -> None:
        """Begin with the request's cookie; the interface makes these."""
        super().__init__(kind, request.cookies.get(cookie) or None, lambda: interface.device(request))
        self.cookie = cookie
        self.others: dict[str, StoreSession] = {}
        self._interface = interface
        self._app = app
        self._request = request
        self._was_permanent = False

    @property
    def new(self) -> bool:  # type: ignore[override]
        """Whether the browser came without a good session."""
        return self.token is None or self.token != self._presented

    @property
    def modified(self) -> bool:
        """Whether there is something to store. Setting it has no effect and is not needed: changes are seen."""
        return super().modified

    @modified.setter
    def modified(self, value: bool) -> None:
        """Accept what other session interfaces ask for."""

    def login(self, user_id: str, *, organisation_id: str | None = None, label: str | None = None) -> Session:
        """Make the user's session in the place of this one, at once; `ragstore.integrations.flask.login` says more."""
        self._open()
        return ask(self.logging_in(user_id, organisation_id, label), self._interface.sessions)

    def logout(self) -> None:
        """Revoke the session, at once; the cookie goes with the response."""
        self._open()
        ask(self.logging_out(), self._interface.sessions)

    def rotate(self) -> None:
        """Give the session another token, at once: when the user's rights change.

        Raises:
            SessionEnded: There is no session.
        """
        self._open()
        ask(self.rotating(), self._interface.sessions)

    def of_kind(self, kind: str) -> StoreSession:
        """Give the browser's session of another kind, which lives beside this one; `session_for` says more."""
        if kind == self.kind:
            return self
        if kind not in self.others:
            cookie = cookie_name(f"{self.cookie}_{kind}")
            self.others[kind] = StoreSession(self._interface, self._app, self._request, kind, cookie)
        return self.others[kind]

    def close(self, response: Response) -> None:
        """Store what was changed, and tell the browser."""
        was_open = self.is_open
        ask(self.closing(), self._interface.sessions)
        if was_open:
            response.vary.add("Cookie")
            self._set_cookie(response)

    def _open(self) -> None:
        if not self.is_open:
            ask(self.opening(), self._interface.sessions)
            self._was_permanent = self.permanent

    def _set_cookie(self, response: Response) -> None:
        interface, app, token = self._interface, self._app, self.token
        refresh = self.permanent and bool(app.config["SESSION_REFRESH_EACH_REQUEST"])
        if not (self.new_cookie or (token and (refresh or self.permanent != self._was_permanent))):
            return
        flags = interface.cookie_flags(app, self._request)
        if token is None:
            response.delete_cookie(self.cookie, **flags)
        else:
            response.set_cookie(self.cookie, token, expires=interface.get_expiration_time(app, self), **flags)


class StoreSessionInterface(SessionInterface):
    """Keeps `flask.session` in the store: `app.session_interface = StoreSessionInterface(store)`.

    The session is read at its first use in a request, so a request that does not use it costs nothing, and where the
    database is away, that use raises. A row is made when something is written, or by `login`; `permanent` alone writes
    nothing. Values are JSON. `clear()`, and removing the last value of a visitor's session, revoke it. Parallel
    requests of one browser: see `BrowserSession`. The first answer that used
    a dead token's session removes its cookie.

    The cookie is set when the token changes, and where the session is permanent with every use (as
    SESSION_REFRESH_EACH_REQUEST says). Its flags are those of Flask's configuration (SESSION_COOKIE_NAME, _DOMAIN,
    _PATH, _HTTPONLY, _SECURE, _SAMESITE, _PARTITIONED), but that it is Secure also where the request came by HTTPS, and
    SameSite=Lax where nothing is configured. How long a session lives is said by the `SessionRules` of its kind;
    PERMANENT_SESSION_LIFETIME is how long the browser keeps a permanent session's cookie.

    Args:
        store: A store, or a function that gives the one for a request: a tenant's handle, say.
        kind: The kind of `flask.session`. `session_for` gives those of other kinds.
        trusted_proxies: As for `RateLimiter`; only for the network that a session notes.
    """

    def __init__(
        self,
        store: Store | Callable[[], Store],
        *,
        kind: str = "web",
        trusted_proxies: Iterable[str | Network] = (),
    ) -> None:
        self.kind = kind
        self._store = store
        self._proxies = TrustedProxies(trusted_proxies)

    def sessions(self) -> Sessions:
        """Give the repository for this request."""
        store = self._store() if callable(self._store) else self._store
        return store.sessions

    def device(self, request: Request) -> Device:
        """Say where a session is made."""
        forwarded = request.headers.getlist("X-Forwarded-For")
        return Device(client_address(request.remote_addr, forwarded, self._proxies), request.headers.get("User-Agent"))

    def cookie_flags(self, app: Flask, request: Request) -> dict[str, Any]:
        """Give the cookie's flags, as `set_cookie` and `delete_cookie` take them."""
        flags = {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "httponly": self.get_cookie_httponly(app),
            "secure": self.get_cookie_secure(app) or request.is_secure,
            "samesite": self.get_cookie_samesite(app) or "Lax",
        }
        # Flask before 3.1 has no such setting, and its werkzeug no such argument.
        return flags | ({"partitioned": True} if app.config.get("SESSION_COOKIE_PARTITIONED") else {})

    def open_session(self, app: Flask, request: Request) -> StoreSession:
        """Begin with the request's cookie; nothing is read yet."""
        return StoreSession(self, app, request, self.kind, cookie_name(self.get_cookie_name(app)))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store the request's sessions, of all kinds that were used, and tell the browser."""
        assert isinstance(session, StoreSession)
        for one in (session, *session.others.values()):
            one.close(response)


def session_for(kind: str) -> StoreSession:
    """Give the browser's session of a kind. Kinds have a cookie each, and live side by side.

    Args:
        kind: The kind. The cookie is SESSION_COOKIE_NAME with "_" and the kind; that of the interface's own kind has no
            such ending, and `flask.session` is its session.

    Raises:
        UsageError: The application's session interface is another one.
        InvalidInput: The kind could not stand in a cookie's name.
    """
    return _own().of_kind(kind)


def login(
    user_id: str, *, kind: str | None = None, organisation_id: str | None = None, label: str | None = None
) -> Session:
    """Log a user in: make his session in the place of the one that the browser has, in one transaction.

    The old token is dead from then on, so nobody can have prepared the session. The data of a visitor or of the same
    user are taken along, what this request has written too; another user's are not.

    Args:
        user_id: The host's id of the user.
        kind: The kind; None: that of `flask.session`.
        organisation_id: The organisation that the user acts for.
        label: What the user calls the device.

    Raises:
        LimitExceeded: The user has as many sessions as the rules allow, and they say "reject".
        InvalidInput: A value is unfit; what was written to the session is no JSON, say.
    """
    return _of_kind(kind).login(user_id, organisation_id=organisation_id, label=label)


def logout(kind: str | None = None) -> None:
    """Log the user out: revoke the browser's session at once, and remove its cookie.

    Args:
        kind: The kind; None: that of `flask.session`. Sessions of other kinds stay.
    """
    _of_kind(kind).logout()


def _of_kind(kind: str | None) -> StoreSession:
    own = _own()
    return own if kind is None else own.of_kind(kind)


def _own() -> StoreSession:
    own = cast(Any, session)._get_current_object()
    if not isinstance(own, StoreSession):
        raise UsageError("this needs app.session_interface = StoreSessionInterface(store)")
    return own
