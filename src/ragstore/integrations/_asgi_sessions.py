"""Sessions in Starlette and FastAPI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar, cast

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragstore.errors import UsageError
from ragstore.integrations._asgi import STARTS, StoreOf, answering, peer_of, store_of
from ragstore.integrations._browser import Ask, Asking, BrowserSession, Device, ask_async
from ragstore.integrations._cookies import SessionCookie
from ragstore.integrations._limits import client_address
from ragstore.rate_limits import TrustedProxies
from ragstore.rate_limits.network import Network
from ragstore.sessions.records import Session
from ragstore.store._async import AsyncStore

T = TypeVar("T")
_SESSIONS: Final = "ragstore.sessions"


class AsyncBrowserSession(BrowserSession):
    """The session of one kind that a browser has; `open_session` gives it."""

    def __init__(self, middleware: SessionMiddleware, connection: HTTPConnection) -> None:
        """Begin with the request's cookie; the middleware makes these."""
        presented = connection.cookies.get(middleware.cookie.name) or None
        super().__init__(
            middleware.kind,
            presented,
            lambda: middleware.device(connection),
            read_only=connection.scope["type"] == "websocket",
        )
        self.cookie = middleware.cookie
        self._store = middleware.store
        self._connection = connection

    async def login(self, user_id: str, *, organisation_id: str | None = None, label: str | None = None) -> Session:
        """Log a user in: make his session in the place of this one, at once, in one transaction.

        The old token is dead from then on, so nobody can have prepared the session. The data of a visitor or of the
        same user are taken along, what this request has written too; another user's are not.

        Args:
            user_id: The host's id of the user.
            organisation_id: The organisation that the user acts for.
            label: What the user calls the device.

        Raises:
            LimitExceeded: The user has as many sessions as the rules allow, and they say "reject".
            InvalidInput: A value is unfit; what was written to the session is no JSON, say.
            UsageError: The response has been started, or this is a websocket.
        """
        return await self._ask(self.logging_in(user_id, organisation_id, label))

    async def logout(self) -> None:
        """Log the user out: revoke this session, at once; the cookie goes with the response."""
        await self._ask(self.logging_out())

    async def rotate(self) -> None:
        """Give the session another token, at once: when the user's rights change.

        Raises:
            SessionEnded: There is no session.
        """
        await self._ask(self.rotating())

    async def load(self) -> None:
        """Read the session, unless that was done."""
        await self._ask(self.opening())

    async def close(self, headers: MutableHeaders) -> None:
        """Store what was changed, and tell the browser."""
        was_open = self.is_open
        await self._ask(self.closing())
        if not was_open:
            return
        headers.add_vary_header("Cookie")
        if self.new_cookie:
            headers.append("Set-Cookie", self.cookie.header(self.token))

    async def _ask(self, steps: Asking[T]) -> T:
        async def answer(call: Ask) -> object:
            store = store_of(self._store, self._connection)
            if isinstance(store, AsyncStore):
                return await cast(Any, call)(store.sessions)
            return await run_in_threadpool(call, store.sessions)

        return await ask_async(steps, answer)

    def _open(self) -> None:
        raise UsageError("the session was not read: await open_session(request) gives it")


class SessionMiddleware:
    """Sessions of one kind in the store; `open_session` gives a request's. Several kinds: one middleware for each.

    A request that does not open its session costs nothing. A row is made when something is written, or by `login`, and
    everything is stored before the response starts. A dead token's cookie is removed by the first answer that opened
    the session. On a websocket a session can be read only. Parallel requests of one browser: see `BrowserSession`.

    Args:
        app: The application; `add_middleware` gives it.
        store: As for `RateLimitMiddleware`.
        kind: The kind; its `SessionRules` say how long a session lives.
        cookie: The cookie; each kind needs one of its own.
        trusted_proxies: As for `RateLimitMiddleware`; only for the network that a session notes.
        eager: Open it for each request, and give it as `request.session` too, for libraries that look there.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: StoreOf,
        kind: str = "web",
        cookie: SessionCookie | str = "session",
        trusted_proxies: Iterable[str | Network] = (),
        eager: bool = False,
    ) -> None:
        self._app = app
        self._proxies = TrustedProxies(trusted_proxies)
        self._eager = eager
        self.store = store
        self.kind = kind
        self.cookie = SessionCookie(cookie) if isinstance(cookie, str) else cookie

    def device(self, connection: HTTPConnection) -> Device:
        """Say where a session is made."""
        return Device(client_address(*peer_of(connection), self._proxies), connection.headers.get("user-agent"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or pass on what is none."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        session = AsyncBrowserSession(self, HTTPConnection(scope))
        scope[_SESSIONS] = scope.get(_SESSIONS, {}) | {self.kind: session}
        if self._eager:
            await session.load()
            scope["session"] = session

        async def sending(message: Message) -> None:
            if message["type"] in STARTS:
                await session.close(MutableHeaders(scope=message))
            await send(message)

        await answering(self._app, scope, receive, sending)


async def open_session(connection: HTTPConnection, kind: str = "web") -> AsyncBrowserSession:
    """Give the browser's session of a kind; the first call in a request reads it.

    Args:
        connection: The request, or a websocket.
        kind: The kind of a `SessionMiddleware`.

    Raises:
        UsageError: There is no middleware for this kind.
    """
    session = connection.scope.get(_SESSIONS, {}).get(kind)
    if not isinstance(session, AsyncBrowserSession):
        raise UsageError(f"no middleware: app.add_middleware(SessionMiddleware, store=store, kind={kind!r}, cookie=…)")
    await session.load()
    return session


def set_session_cookie(response: Response, token: str, *, cookie: SessionCookie | None = None) -> None:
    """Have the browser keep a token, for hosts that make sessions themselves and use no middleware."""
    response.headers.append("Set-Cookie", (cookie or SessionCookie()).header(token))


def clear_session_cookie(response: Response, *, cookie: SessionCookie | None = None) -> None:
    """Have the browser forget a token."""
    response.headers.append("Set-Cookie", (cookie or SessionCookie()).header(None))
