"""What limits and sessions share in Starlette: refusals, and a request's store and client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragstore.core import json
from ragstore.core.json import Json
from ragstore.rate_limits import Decision, problem
from ragstore.store._async import AsyncStore
from ragstore.store._sync import Store

AnyStore: TypeAlias = AsyncStore | Store
StoreOf: TypeAlias = AnyStore | Callable[[HTTPConnection], AnyStore]

STARTS: Final = ("http.response.start", "websocket.http.response.start")
_POLICY_VIOLATION: Final = 1008


class Refusal(Exception):
    """A request that ends here. The middleware answers it with problem details (RFC 9457).

    An exception handler of the application, for this class or one below, may give another answer.

    Attributes:
        status: The status to answer with.
        body: The problem.
        headers: Header fields of the answer.
    """

    def __init__(self, body: dict[str, Json], status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body["title"]))
        self.body = body
        self.status = status
        self.headers = headers or {}

    def response(self) -> Response:
        """Give the answer."""
        return Response(json.dumps(self.body), self.status, self.headers, "application/problem+json")


class RateLimited(Refusal):
    """Over a limit, 429; `decision` says which and how long."""

    def __init__(self, decision: Decision) -> None:
        body = problem(decision)
        super().__init__(body, cast(int, body["status"]))
        self.decision = decision


class LimitsUnavailable(RateLimited):
    """The database did not answer, and the policy is closed, 503."""


class NotLoggedIn(Refusal):
    """There is no session of the kind that is needed, 401."""

    def __init__(self, kind: str, cookie: str) -> None:
        body: dict[str, Json] = {"type": "about:blank", "title": "Not Logged In", "status": 401}
        super().__init__(body, 401, {"WWW-Authenticate": f'Cookie cookie-name="{cookie}"'})
        self.kind = kind


async def answering(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the application, and answer where it refuses."""
    started = False

    async def noting(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await app(scope, receive, noting)
    except Refusal as refusal:
        if started:
            raise
        await _answer(refusal, scope, receive, send)


async def _answer(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await refusal.response()(scope, receive, send)
    else:  # the server makes a plain 403 of it
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": str(refusal)})


def store_of(store: StoreOf, connection: HTTPConnection) -> AnyStore:
    """Give a request's store."""
    return store if isinstance(store, AsyncStore | Store) else store(connection)


def peer_of(connection: HTTPConnection) -> tuple[str | None, list[str]]:
    """Give the address at the other end, and what X-Forwarded-For says."""
    peer = None if connection.client is None else connection.client.host
    return peer, connection.headers.getlist("x-forwarded-for")
