"""Rate limits in Starlette and FastAPI."""

# No `from __future__ import annotations`: FastAPI reads those of a dependency, and could not resolve them here.

from collections.abc import Awaitable, Callable, Iterable, Sequence
from inspect import isawaitable
from typing import Any, Final, NamedTuple, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragstore.errors import UsageError
from ragstore.integrations import _limits
from ragstore.integrations._asgi import (
    STARTS,
    AnyStore,
    LimitsUnavailable,
    RateLimited,
    StoreOf,
    answering,
    peer_of,
    store_of,
)
from ragstore.integrations._limits import APP, place_of, rule_for, together
from ragstore.rate_limits import Charge, Decision, Key, Policy, TrustedProxies, rate_limit_headers
from ragstore.rate_limits.headers import Form
from ragstore.rate_limits.network import Network
from ragstore.store._async import AsyncStore

KeyOf: TypeAlias = Key | Callable[[HTTPConnection], Key | Awaitable[Key]] | None
CostOf: TypeAlias = int | Callable[[HTTPConnection], int | Awaitable[int]]

_LIMITS: Final = "ragstore.limits"


class _Desk(NamedTuple):
    """What a request knows of rate limits."""

    store: StoreOf
    proxies: TrustedProxies
    decisions: list[Decision]


class RateLimit:
    """A limit, to be called with a request; in FastAPI as a dependency: `Depends(RateLimit("5/minute"))`.

    It needs `RateLimitMiddleware`, which knows the store, answers a refusal and sends the header fields.

    Args:
        limit: A text like "5/minute; 50/day", a `Policy`, or the name of a defined one. A text counts for its endpoint
            alone; a policy counts wherever it is named.
        key: Who is limited, or a function of the request that says so, which may be async; None: the client's address.
        cost: How much a request takes, or a function of the request that says so.
        when: It holds only where this says so of the request.

    Raises:
        InvalidInput: The text is no limit.

    Example:
        .. code-block:: python

            from starlette.applications import Starlette
            from starlette.requests import Request
            from starlette.responses import PlainTextResponse
            from starlette.routing import Route
            from ragstore.integrations.starlette import RateLimit, RateLimitMiddleware

            slowly = RateLimit("5/minute")

            async def log_in(request: Request) -> PlainTextResponse:
                await slowly(request)
                return PlainTextResponse("welcome")

            app = Starlette(routes=[Route("/login", log_in)])
            app.add_middleware(RateLimitMiddleware, store=store)
    """

    def __init__(
        self,
        limit: str | Policy,
        *,
        key: KeyOf = None,
        cost: CostOf = 1,
        when: Callable[[HTTPConnection], bool] | None = None,
    ) -> None:
        rule_for(limit, APP)  # read now, so that a wrong text is found before the first request
        self._limit = limit
        self._key = key
        self._cost = cost
        self._when = when

    async def __call__(self, connection: HTTPConnection) -> Decision | None:
        """Take from the limit.

        Returns:
            The decision; None where `when` says that the limit does not hold.

        Raises:
            RateLimited: Over the limit.
            LimitsUnavailable: The database did not answer, and the policy is closed.
            UsageError: There is no `RateLimitMiddleware`.
        """
        return await RateLimits(self)(connection)

    async def charge(self, connection: HTTPConnection) -> Charge | None:
        """Say what a request takes; None: nothing."""
        if self._when is not None and not self._when(connection):
            return None
        endpoint = connection.scope.get("endpoint")
        rule = rule_for(self._limit, APP if endpoint is None else place_of(endpoint))
        key = await _value(self._key, connection)
        cost: int = await _value(self._cost, connection)
        return Charge(rule.policy, rule.key(client_key(connection) if key is None else key), cost)


class RateLimits:
    """Several limits that are decided together, all or nothing, in one round trip. Called like a `RateLimit`."""

    def __init__(self, *limits: RateLimit) -> None:
        self._limits = limits

    async def __call__(self, connection: HTTPConnection) -> Decision | None:
        """Take from all of them; see `RateLimit`."""
        charges = [charge for limit in self._limits if (charge := await limit.charge(connection)) is not None]
        return await take(connection, *charges) if charges else None


async def take(connection: HTTPConnection, *charges: Charge) -> Decision:
    """Take from limits in the middle of a request, all or nothing; the response tells of them.

    Raises:
        RateLimited: Over a limit.
        LimitsUnavailable: The database did not answer, and a policy is closed.
        UsageError: There is no `RateLimitMiddleware`.
    """
    return check(connection, await _hit_all(store_of(_desk(connection).store, connection), charges))


def check(connection: HTTPConnection, decision: Decision) -> Decision:
    """Refuse the request if a decision does, and have the response tell of it: of a reservation's, say.

    Raises:
        RateLimited: It was refused.
        LimitsUnavailable: It was refused because the database did not answer.
        UsageError: There is no `RateLimitMiddleware`.
    """
    _desk(connection).decisions.append(decision)
    if not decision.allowed:
        raise LimitsUnavailable(decision) if decision.degraded else RateLimited(decision)
    return decision


def client_key(connection: HTTPConnection) -> str:
    """Give what the client's address is counted by: an IPv4 address, or an IPv6 network.

    Raises:
        UsageError: There is no `RateLimitMiddleware`, which knows the trusted proxies.
    """
    return _limits.client_key(*peer_of(connection), _desk(connection).proxies)


def _desk(connection: HTTPConnection) -> _Desk:
    desk = connection.scope.get(_LIMITS)
    if not isinstance(desk, _Desk):
        raise UsageError("rate limits need the middleware: app.add_middleware(RateLimitMiddleware, store=store)")
    return desk


async def _value(given: Any, connection: HTTPConnection) -> Any:
    value = given(connection) if callable(given) else given
    return await value if isawaitable(value) else value


class RateLimitMiddleware:
    """What `RateLimit` and `take` need, and limits for all requests.

    A refusal becomes a response 429 with problem details, or 503 where the database does not answer and the policy is
    closed; a websocket is refused before it is accepted. Responses have the header fields, whatever made them, and
    streams pass through as they are. Middleware added after this one is around it and sees all answers: CORS, say.

    Args:
        app: The application; `add_middleware` gives it.
        store: A store, or a function of the request that gives one: a tenant's handle, or one made by the lifespan. A
            sync store is called in a thread.
        limits: Limits for all requests, decided together before the application is called. Use `when` to leave some
            out.
        trusted_proxies: Networks of the proxies whose X-Forwarded-For is believed. Leave it empty where the server
            itself sets the client's address, as uvicorn does with `--proxy-headers`.
        headers: Which header fields responses have, see `rate_limit_headers`. `()`: only Retry-After.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: StoreOf,
        limits: Sequence[RateLimit] = (),
        trusted_proxies: Iterable[str | Network] = (),
        headers: Form | Sequence[Form] = "ietf",
    ) -> None:
        self._app = app
        self._store = store
        self._limits = RateLimits(*limits)
        self._proxies = TrustedProxies(trusted_proxies)
        self._headers: Form | Sequence[Form] = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or pass on what is none."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope[_LIMITS] = desk = _Desk(self._store, self._proxies, [])

        async def sending(message: Message) -> None:
            if message["type"] in STARTS and desk.decisions:
                headers = MutableHeaders(scope=message)
                for name, value in rate_limit_headers(together(desk.decisions), form=self._headers):
                    headers[name] = value
            await send(message)

        await answering(self._limited, scope, receive, sending)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._limits(HTTPConnection(scope))
        await self._app(scope, receive, send)


async def _hit_all(store: AnyStore, charges: Sequence[Charge]) -> Decision:
    if isinstance(store, AsyncStore):
        return await store.rate_limits.hit_all(charges)
    return await run_in_threadpool(store.rate_limits.hit_all, charges)
