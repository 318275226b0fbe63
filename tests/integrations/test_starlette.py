"""Starlette: the middleware alone, over ASGI, with the async and the sync store."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from ragstore import AsyncStore, Charge, Limit, Policy, Store
from ragstore.errors import InvalidInput, RagstoreError, SessionEnded, UsageError
from ragstore.integrations.starlette import (
    AsyncBrowserSession,
    NotLoggedIn,
    RateLimit,
    RateLimited,
    RateLimitMiddleware,
    RateLimits,
    SessionCookie,
    SessionMiddleware,
    clear_session_cookie,
    open_session,
    set_session_cookie,
    take,
)
from tests.conformance.support import Database
from tests.integrations.support import QUIET, check_refusal, cookie_of, told

pytestmark = pytest.mark.anyio

YEAR = timedelta(days=365)
Endpoint = Callable[[Request], Awaitable[Response]]


def policy(amount: int, name: str = "a", **more: Any) -> Policy:
    """Give a policy whose amount does not come back during a test."""
    return Policy(name, Limit(amount, YEAR), max_wait=QUIET, **more)


def browser(app: Any, **more: Any) -> httpx.AsyncClient:
    """Give a client with cookies of its own."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=more.pop("raises", True), client=("203.0.113.7", 5))
    return httpx.AsyncClient(transport=transport, base_url="https://shop.example", **more)


async def ok(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def read(request: Request) -> Response:
    return JSONResponse(dict(await open_session(request)))


async def add(request: Request) -> Response:
    session = await open_session(request)
    key = request.path_params["key"]
    session[key] = session.get(key, 0) + 1
    return JSONResponse(session[key])


async def log_in(request: Request) -> Response:
    await (await open_session(request)).login(request.path_params["user"])
    return PlainTextResponse("ok")


async def log_out(request: Request) -> Response:
    await (await open_session(request)).logout()
    return PlainTextResponse("ok")


async def who(request: Request) -> Response:
    return JSONResponse((await open_session(request)).user_id)


ROUTES = [
    Route("/quiet", ok),
    Route("/read", read),
    Route("/add/{key}", add),
    Route("/login/{user}", log_in),
    Route("/logout", log_out),
    Route("/who", who),
]


def shop(store: Any, *routes: Any, **more: Any) -> Starlette:
    app = Starlette(routes=[*ROUTES, *routes])
    app.add_middleware(SessionMiddleware, store=store, **more)
    app.add_middleware(RateLimitMiddleware, store=store, trusted_proxies=["203.0.113.0/24"])
    return app


def limited(*limits: RateLimit) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        await RateLimits(*limits)(request)
        return PlainTextResponse("ok")

    return endpoint


# ------------------------------------------------------------------------------------------------------- limits


async def test_a_text_counts_for_its_endpoint_and_each_address(async_store: AsyncStore) -> None:
    slowly = RateLimit("2/day")

    async def one(request: Request) -> Response:
        await slowly(request)
        return PlainTextResponse("ok")

    async def two(request: Request) -> Response:
        await slowly(request)
        return PlainTextResponse("ok")

    async with browser(shop(async_store, Route("/one", one), Route("/two", two))) as client:
        for left in (1, 0):
            admitted = await client.get("/one")
            assert (admitted.status_code, told(admitted.headers)["one"]["r"]) == (200, left)
        refused = await client.get("/one")
        check_refusal(refused.status_code, refused.headers, refused.json(), "one")
        assert (await client.get("/two")).status_code == 200
        assert (await client.get("/one", headers={"X-Forwarded-For": "198.51.100.1"})).status_code == 200


async def test_several_limits_are_decided_together(async_store: AsyncStore) -> None:
    """RL-4; a key may be found out asynchronously, from the body, say."""

    async def user(request: Any) -> tuple[str, str]:
        return ("user", (await request.json())["user"])

    both = limited(RateLimit(policy(4, "all"), key="everybody"), RateLimit(policy(2, "user"), key=user))
    async with browser(shop(async_store, Route("/", both, methods=["POST"]))) as client:
        statuses = [(await client.post("/", json={"user": "ann"})).status_code for _ in range(6)]
        assert statuses == [200, 200, 429, 429, 429, 429]
        statuses = [(await client.post("/", json={"user": "bob"})).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_costs_and_conditions(async_store: AsyncStore) -> None:
    async def cost(request: HTTPConnection) -> int:
        return int(request.query_params["cost"])

    def counts(request: HTTPConnection) -> bool:
        return "free" not in request.query_params

    endpoint = limited(RateLimit(policy(10), key="k", cost=cost, when=counts))
    async with browser(shop(async_store, Route("/", endpoint))) as client:
        assert "RateLimit" not in (await client.get("/?cost=9&free=1")).headers
        assert told((await client.get("/?cost=7")).headers)["a"]["r"] == 3
        assert (await client.get("/?cost=4")).status_code == 429


async def test_streams_errors_and_mounted_applications_have_the_headers(async_store: AsyncStore) -> None:
    """Whatever makes the response; and pieces of a stream arrive one by one."""
    arrived: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b", b"c"):
            yield piece
            assert arrived[-1] == piece  # it was not kept back

    async def stream(request: Request) -> Response:
        await take(request, Charge(policy(9), "k", cost=2))
        return StreamingResponse(pieces())

    async def failing(request: Request) -> Response:
        await take(request, Charge(policy(9), "k"))
        return Response(status_code=418)

    app = shop(async_store, Mount("/sub", routes=[Route("/stream", stream)]), Route("/failing", failing))
    started = await streamed(app, "/sub/stream", arrived)
    assert b"".join(arrived) == b"abc"
    assert told(started)["a"]["r"] == 7
    async with browser(app) as client:
        assert told((await client.get("/failing")).headers)["a"]["r"] == 6


async def streamed(app: Starlette, path: str, arrived: list[bytes]) -> httpx.Headers:
    """Collect the pieces of an answer as they come, and give its header."""
    headers: list[Any] = []

    async def send(message: Any) -> None:
        headers.extend(message.get("headers", ()))
        arrived.extend(filter(None, [message.get("body")]))

    async def receive() -> Any:
        await asyncio.sleep(10)

    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [],
        "client": None, "server": ("shop.example", 443), "scheme": "https", "http_version": "1.1",
    }  # fmt: skip
    await app(scope, receive, send)
    return httpx.Headers(headers)


async def test_limits_for_all_requests(async_store: AsyncStore) -> None:
    app = Starlette(routes=[Route("/", ok), Route("/health", ok)])
    everywhere = RateLimit(policy(3), when=lambda request: request.url.path != "/health")
    app.add_middleware(RateLimitMiddleware, store=async_store, limits=[everywhere])
    async with browser(app) as client:
        assert [(await client.get("/health")).status_code for _ in range(5)] == [200] * 5
        statuses = [(await client.get(path)).status_code for path in ("/", "/nowhere", "/", "/", "/nowhere")]
        assert statuses == [200, 404, 200, 429, 429]


async def test_a_handler_of_the_host(async_store: AsyncStore) -> None:
    app = shop(async_store, Route("/", limited(RateLimit(policy(1)))))

    async def slowly(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RateLimited)
        return PlainTextResponse(f"slowly, {error.decision.policy}", 429)

    app.add_exception_handler(RateLimited, slowly)
    async with browser(app) as client:
        await client.get("/")
        refused = await client.get("/")
        assert (refused.text, refused.status_code, "Retry-After" in refused.headers) == ("slowly, a", 429, True)


async def test_endpoints_of_classes(async_store: AsyncStore) -> None:
    slowly = RateLimit("1/day")

    class Things(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            await slowly(request)
            return PlainTextResponse("things")

    async with browser(shop(async_store, Route("/things", Things))) as client:
        answers = [await client.get("/things") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert "Things" in told(answers[0].headers)


async def test_exactly_as_many_as_the_limit_says(async_store: AsyncStore) -> None:
    """RL-1: eighty requests at once."""
    app = shop(async_store, Route("/", limited(RateLimit(policy(30)))))
    async with browser(app) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(80)))
    assert sorted(answer.status_code for answer in answers) == [200] * 30 + [429] * 50


async def test_a_sync_store_and_one_for_each_request(store: Store) -> None:
    def for_tenant(connection: HTTPConnection) -> Store:
        return store.for_tenant(connection.headers["tenant"])

    app = shop(for_tenant, Route("/", limited(RateLimit(policy(1)))))
    async with browser(app) as client:
        answers = [await client.get("/", headers={"tenant": tenant}) for tenant in ("a", "b", "a", "b")]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        for tenant in ("a", "b"):
            assert (await client.get("/add/n", headers={"tenant": tenant})).json() == 1
        await client.get("/login/ann", headers={"tenant": "b"})
        assert (await client.get("/who", headers={"tenant": "b"})).json() == "ann"
        assert (await client.get("/who", headers={"tenant": "a"})).json() is None
        assert (await client.get("/quiet")).status_code == 200  # needs no store, and so no tenant


async def test_what_is_missing_is_said(async_store: AsyncStore) -> None:
    with pytest.raises(InvalidInput, match="no known unit"):
        RateLimit("5/x")
    app = Starlette(routes=[*ROUTES, Route("/limited", limited(RateLimit("5/minute")))])
    async with browser(app) as client:
        with pytest.raises(UsageError, match="add_middleware\\(RateLimitMiddleware"):
            await client.get("/limited")
        with pytest.raises(UsageError, match="add_middleware\\(SessionMiddleware"):
            await client.get("/read")


async def test_limits_without_a_database(absent_url: str) -> None:
    """RL-15."""
    async with AsyncStore.open(absent_url) as store:
        closed = Route("/closed", limited(RateLimit("5/minute")))
        app = shop(store, closed, Route("/open", limited(RateLimit(policy(1, failure="open")))))
        async with browser(app) as client:
            refused = await client.get("/closed")
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("#temporary-reduced-capacity")
            assert "Retry-After" in refused.headers
            assert "RateLimit" not in refused.headers
            assert [(await client.get("/open")).status_code for _ in range(3)] == [200] * 3


# -------------------------------------------------------------------------------------------------- websockets


async def shake(app: Starlette, cookie: str = "", *, can_deny: bool = True) -> list[Any]:
    """Ask for a websocket, and give what is sent back."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket", "path": "/hello", "query_string": b"", "headers": [(b"cookie", cookie.encode())],
        "client": ("192.0.2.1", 5), "scheme": "wss", "server": ("shop.example", 443),
        "extensions": {"websocket.http.response": {}} if can_deny else {},
    }  # fmt: skip
    await app(scope, receive, send)
    return sent


async def test_websockets(async_store: AsyncStore) -> None:
    """The handshake is limited, and a session can be read and not written."""

    async def hello(socket: WebSocket) -> None:
        await RateLimit(policy(1), key="k")(socket)
        session = await open_session(socket)
        await socket.accept()
        await socket.send_json([session.user_id, dict(session)])
        try:
            session["n"] = 2
        except UsageError as error:
            await socket.send_text(str(error))

    app = shop(async_store, WebSocketRoute("/hello", hello))
    made = await async_store.sessions.create("ann", kind="web", data={"n": 1})
    accepted, first, second = await shake(app, f"session={made.token}")
    assert accepted["type"] == "websocket.accept"
    assert first["text"] == '["ann",{"n":1}]'
    assert "can read its session only" in second["text"]

    start, body = await shake(app)
    headers = httpx.Headers(start["headers"])
    assert start["type"] == "websocket.http.response.start"
    check_refusal(start["status"], headers, json.loads(body["body"]), "a")

    (closed,) = await shake(app, can_deny=False)
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


# ------------------------------------------------------------------------------------------------------ sessions


async def test_nothing_for_requests_that_do_not_write(async_store: AsyncStore, db: Database) -> None:
    """S-11: no row, no cookie; and a request that does not use its session says nothing of cookies."""
    async with browser(shop(async_store)) as client:
        for path, vary in (("/quiet", None), ("/read", "Cookie"), ("/who", "Cookie"), ("/logout", "Cookie")):
            answer = await client.get(path)
            assert "Set-Cookie" not in answer.headers
            assert answer.headers.get("Vary") == vary
    assert "rag_session" not in db.counts()


async def test_data_and_flags(async_store: AsyncStore, db: Database) -> None:
    cookie = SessionCookie("__Host-shop", same_site="strict", max_age=timedelta(days=2))
    async with browser(shop(async_store, cookie=cookie)) as client:
        first = await client.get("/add/n")
        morsel = cookie_of(first.headers["Set-Cookie"])
        assert (morsel.key, morsel["path"], morsel["max-age"], morsel["domain"]) == ("__Host-shop", "/", "172800", "")
        assert (morsel["httponly"], morsel["secure"], morsel["samesite"]) == (True, True, "Strict")
        assert [(await client.get("/add/n")).json() for _ in range(2)] == [2, 3]
        again = await client.get("/read")
        assert (again.json(), "Set-Cookie" in again.headers) == ({"n": 3}, False)
    assert db.counts()["rag_session"] == 1


@pytest.mark.parametrize(
    "unfit",
    [{"name": "a b"}, {"name": ""}, {"name": "__Host-x", "domain": "x.example"}, {"same_site": "none", "secure": False},
     {"name": "__Secure-x", "secure": False}, {"domain": "x; y"}, {"path": "/\n"}, {"same_site": "Lax"}],
)  # fmt: skip
def test_cookies_that_browsers_would_refuse(unfit: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        SessionCookie(**unfit)


async def test_a_login_replaces_the_token(async_store: AsyncStore) -> None:
    """Fixation: the token from before the login is dead, and the data have moved; a logout ends it."""
    app = shop(async_store)
    async with browser(app) as client, browser(app) as attacker:
        await client.get("/add/n")
        before = client.cookies["session"]
        await client.get("/login/ann")
        after = client.cookies["session"]
        assert before != after
        assert await async_store.sessions.authenticate(before) is None
        found = await async_store.sessions.authenticate(after)
        assert found is not None
        assert (found.user_id, found.data, found.ip) == ("ann", {"n": 1}, "203.0.113.0/24")
        attacker.cookies.set("session", before)
        answer = await attacker.get("/who")
        assert (answer.json(), cookie_of(answer.headers["Set-Cookie"])["max-age"]) == (None, "0")
        await client.get("/login/bob")
        assert (await client.get("/read")).json() == {}  # not Bob's
        await client.get("/logout")
        assert "session" not in client.cookies
        assert (await async_store.sessions.list_user("bob")) == []


async def test_clearing_rotating_and_handing_on(async_store: AsyncStore) -> None:
    async def clear(request: Request) -> Response:
        session = await open_session(request)
        session.clear()
        session["fresh"] = True
        return PlainTextResponse("ok")

    async def rotate(request: Request) -> Response:
        await (await open_session(request)).rotate()
        return PlainTextResponse("ok")

    app = shop(async_store, Route("/clear", clear), Route("/rotate", rotate))
    async with browser(app) as client, browser(app) as late:
        with pytest.raises(SessionEnded):
            await client.get("/rotate")
        await client.get("/add/n")
        first = client.cookies["session"]
        await client.get("/rotate")
        second = client.cookies["session"]
        late.cookies.set("session", first)
        assert (await late.get("/read")).json() == {"n": 1}
        assert late.cookies.jar._cookies["shop.example"]["/"]["session"].value == second  # type: ignore[attr-defined]
        await client.get("/clear")
        assert (await client.get("/read")).json() == {"fresh": True}
        assert await async_store.sessions.authenticate(second) is None


async def test_parallel_changes_of_one_session_are_merged(async_store: AsyncStore) -> None:
    barrier = asyncio.Barrier(8)

    async def slow(request: Request) -> Response:
        session = await open_session(request)
        await asyncio.wait_for(barrier.wait(), 60)
        session[request.path_params["key"]] = 1
        session.pop("n", None)
        return PlainTextResponse("ok")

    async with browser(shop(async_store, Route("/slow/{key}", slow))) as client:
        await client.get("/add/n")
        answers = await asyncio.gather(*(client.get(f"/slow/k{number}") for number in range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8
        assert (await client.get("/read")).json() == {f"k{number}": 1 for number in range(8)}


async def test_many_browsers_at_once_keep_apart(async_store: AsyncStore) -> None:
    app = shop(async_store)

    async def browse(number: int) -> list[Any]:
        async with browser(app) as client:
            await client.get(f"/login/user{number}")
            await asyncio.gather(*(client.get(f"/add/k{place}") for place in range(3)))
            return [(await client.get(path)).json() for path in ("/who", "/read")]

    expected = {f"k{place}": 1 for place in range(3)}
    assert await asyncio.gather(*(browse(n) for n in range(12))) == [[f"user{n}", expected] for n in range(12)]


async def test_kinds_live_side_by_side(async_store: AsyncStore) -> None:
    async def log_in_as(request: Request) -> Response:
        await (await open_session(request, request.path_params["kind"])).login(request.path_params["user"])
        return PlainTextResponse("ok")

    async def everybody(request: Request) -> Response:
        return JSONResponse([(await open_session(request, kind)).user_id for kind in ("professor", "student")])

    app = Starlette(routes=[Route("/as/{kind}/{user}", log_in_as), Route("/all", everybody)])
    for kind in ("professor", "student"):
        app.add_middleware(SessionMiddleware, store=async_store, kind=kind, cookie=kind)
    async with browser(app) as client:
        await client.get("/as/professor/ann")
        await client.get("/as/student/bob")
        assert (await client.get("/all")).json() == ["ann", "bob"]
        await async_store.sessions.revoke_user("ann")
        answer = await client.get("/all")
        assert answer.json() == [None, "bob"]
        assert cookie_of(answer.headers["Set-Cookie"]).key == "professor"


async def test_request_session_where_libraries_look(async_store: AsyncStore, db: Database) -> None:
    async def plain(request: Request) -> Response:
        session: Any = request.session
        assert isinstance(session, AsyncBrowserSession)
        session["n"] = session.get("n", 0) + 1
        return JSONResponse(session["n"])

    async with browser(shop(async_store, Route("/plain", plain), eager=True)) as client:
        await client.get("/quiet")
        assert "rag_session" not in db.counts()
        assert [(await client.get("/plain")).json() for _ in range(2)] == [1, 2]


async def test_it_is_stored_before_the_response_starts(async_store: AsyncStore) -> None:
    """What is written later is an error, and not lost in silence; data must be JSON."""
    failed = []

    async def late(request: Request) -> Response:
        session = await open_session(request)

        async def pieces() -> AsyncIterator[str]:
            try:
                session["n"] = 9
            except UsageError as error:
                failed.append(str(error))
            yield "ok"

        return StreamingResponse(pieces())

    async def unfit(request: Request) -> Response:
        (await open_session(request))["when"] = timedelta(1)
        return PlainTextResponse("ok")

    async with browser(shop(async_store, Route("/late", late), Route("/unfit", unfit))) as client:
        await client.get("/late")
        assert "response has been started" in failed[0]
        with pytest.raises(InvalidInput, match=r"data\.when"):
            await client.get("/unfit")
    async with browser(shop(async_store, Route("/unfit", unfit)), raises=False) as client:
        assert (await client.get("/unfit")).status_code == 500


async def test_sessions_without_a_database(absent_url: str) -> None:
    """A session that cannot be read is an error, never an empty one; who does not use it does not notice."""
    async with AsyncStore.open(absent_url) as store, browser(shop(store)) as client:
        assert (await client.get("/read")).json() == {}  # there is no token to ask about
        with pytest.raises(RagstoreError):
            await client.get("/add/n")
        client.cookies.set("session", "rs1.ZGVmYXVsdA.AZrvz4qsf9qGk1u4dGJ3rQ.0." + "A" * 43)
        with pytest.raises(RagstoreError):
            await client.get("/read")
        assert (await client.get("/quiet")).status_code == 200
    # The thread of a connection that aiosqlite could not make ends a moment later, and needs the loop for it.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


async def test_refusals_of_the_hosts_own_code(async_store: AsyncStore) -> None:
    async def members(_request: Request) -> Response:
        raise NotLoggedIn("web", "session")

    async with browser(shop(async_store, Route("/members", members))) as client:
        answer = await client.get("/members")
    assert (answer.status_code, answer.json()["status"]) == (401, 401)
    assert answer.headers["WWW-Authenticate"] == 'Cookie cookie-name="session"'


def test_cookies_by_hand() -> None:
    response = Response()
    set_session_cookie(response, "token", cookie=SessionCookie("mine"))
    clear_session_cookie(response, cookie=SessionCookie("other"))
    first, second = (cookie_of(header) for header in response.headers.getlist("Set-Cookie"))
    assert (first.key, first.value, first["httponly"], first["secure"]) == ("mine", "token", True, True)
    assert (second.key, second.value, second["max-age"]) == ("other", "", "0")
