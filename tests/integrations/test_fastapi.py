"""FastAPI: limits and sessions as dependencies, over ASGI and behind a real server."""

# No `from __future__ import annotations`: FastAPI could not resolve the names that are local to a test.

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, StreamingResponse

from ragstore import AsyncStore, Decision, Limit, Policy, Session, SessionRules, Store
from ragstore.errors import LimitExceeded
from ragstore.integrations.fastapi import (
    RESPONSES,
    AsyncBrowserSession,
    NotLoggedIn,
    RateLimit,
    RateLimitMiddleware,
    RateLimits,
    SessionMiddleware,
    browser_session,
    current_session,
)
from tests.concurrency.conftest import OwnServer, own_server
from tests.conformance.support import Database, run_calls, together
from tests.integrations.support import QUIET, check_refusal, cookie_of, told

pytestmark = pytest.mark.anyio
__all__ = ["own_server"]  # a fixture

YEAR = timedelta(days=365)
Browser = Annotated[AsyncBrowserSession, Depends(browser_session("login"))]
LoggedIn = Annotated[Session, Depends(current_session())]
Perhaps = Annotated[Session | None, Depends(current_session(required=False))]


def policy(amount: int, name: str = "a", **more: Any) -> Policy:
    """Give a policy whose amount does not come back during a test."""
    return Policy(name, Limit(amount, YEAR), max_wait=QUIET, **more)


def make_app(store: Any, **more: Any) -> FastAPI:
    app = FastAPI(**more)
    app.add_middleware(SessionMiddleware, store=store, kind="login")
    app.add_middleware(RateLimitMiddleware, store=store)

    @app.post("/login/{user}")
    async def log_in(user: str, browser: Browser) -> str:
        try:
            return str((await browser.login(user)).id)
        except LimitExceeded:
            raise HTTPException(409, "too many devices") from None

    @app.post("/logout")
    async def log_out(browser: Browser) -> None:
        await browser.logout()

    @app.get("/me")
    async def me(session: LoggedIn) -> str:
        return str(session.user_id)

    @app.get("/perhaps")
    def perhaps(session: Perhaps) -> str | None:
        return session and session.user_id

    @app.post("/add/{key}")
    def add(key: str, browser: Browser) -> int:
        count: int = browser.get(key, 0) + 1
        browser[key] = count
        return count

    return app


@asynccontextmanager
async def client_of(app: FastAPI, *, raises: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=raises, client=("203.0.113.7", 5))
    async with httpx.AsyncClient(transport=transport, base_url="https://shop.example") as client:
        yield client


async def test_limits_of_endpoints(async_store: AsyncStore) -> None:
    """Async and sync endpoints, responses of their own, and errors: all have the header fields."""
    app = make_app(async_store)

    @app.get("/one")
    async def one(decision: Annotated[Decision, Depends(RateLimit("2/day"))]) -> int | None:
        return decision.remaining

    @app.get("/two", dependencies=[Depends(RateLimit("2/day"))])
    def two() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]))

    @app.get("/three", dependencies=[Depends(RateLimit("2/day"))])
    def three(_number: int) -> None:
        raise HTTPException(418)

    async with client_of(app) as client:
        for left in (1, 0):
            for path, status in (("/one", 200), ("/two", 200), ("/three?_number=1", 418)):
                answer = await client.get(path)
                assert answer.status_code == status
                assert [item["r"] for item in told(answer.headers).values()] == [left]
        for name in ("one", "two", "three"):
            refused = await client.get(f"/{name}?_number=1")
            check_refusal(refused.status_code, refused.headers, refused.json(), name)


async def test_several_limits_are_decided_together(async_store: AsyncStore) -> None:
    """RL-4."""
    app = make_app(async_store)

    def user(request: Any) -> str:
        return str(request.path_params["user"])

    both = RateLimits(RateLimit(policy(4, "all"), key="everybody"), RateLimit(policy(2, "user"), key=user))

    @app.get("/{user}", dependencies=[Depends(both)])
    async def view(user: str) -> str:
        return user

    async with client_of(app) as client:
        assert [(await client.get("/ann")).status_code for _ in range(4)] == [200, 200, 429, 429]
        assert [(await client.get("/bob")).status_code for _ in range(3)] == [200, 200, 429]


async def test_a_key_from_the_body(async_store: AsyncStore) -> None:
    """The limit may read the body, and the endpoint as well."""
    app = make_app(async_store)

    async def name(request: Any) -> str:
        return str((await request.json())["name"])

    @app.post("/named", dependencies=[Depends(RateLimit("1/day", key=name))])
    async def named(body: dict[str, str]) -> str:
        return body["name"]

    async with client_of(app) as client:
        answers = [await client.post("/named", json={"name": name}) for name in ("ann", "bob", "ann")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_a_login_and_who_may_pass(async_store: AsyncStore, db: Database) -> None:
    async with client_of(make_app(async_store)) as client:
        refused = await client.get("/me")
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["WWW-Authenticate"].startswith("Cookie ")
        assert (await client.get("/perhaps")).json() is None
        assert "rag_session" not in db.counts()  # S-11
        assert (await client.post("/add/n")).json() == 1
        assert (await client.get("/me")).status_code == 401  # a visitor's session is no login
        before = client.cookies["session"]
        logged_in = await client.post("/login/ann")
        morsel = cookie_of(logged_in.headers["Set-Cookie"])
        assert (morsel["httponly"], morsel["secure"], morsel["samesite"]) == (True, True, "Lax")
        assert morsel.value != before
        assert await async_store.sessions.authenticate(before) is None
        assert ((await client.get("/me")).json(), (await client.post("/add/n")).json()) == ("ann", 2)
        assert (await client.get("/perhaps")).json() == "ann"
        await async_store.sessions.change_stamp("ann")
        assert (await client.get("/me")).status_code == 401


async def test_too_many_logins(async_store: AsyncStore) -> None:
    async_store.sessions.define(SessionRules("login", max_sessions=1, on_limit="reject"))
    app = make_app(async_store)
    async with client_of(app) as first, client_of(app) as second:
        assert (await first.post("/login/ann")).status_code == 200
        assert (await second.post("/login/ann")).status_code == 409
        assert (await second.get("/me")).status_code == 401


async def test_a_store_made_by_the_lifespan(database_url: str) -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncStore.open(database_url) as store:
            app.state.store = store
            yield

    app = make_app(lambda connection: connection.app.state.store, lifespan=lifespan)
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.post("/login/ann")).status_code == 200
        assert (await client.get("/me")).json() == "ann"


async def test_a_sync_store(store: Store) -> None:
    app = make_app(store)

    @app.get("/limited", dependencies=[Depends(RateLimit(policy(20)))])
    def limited() -> str:
        return "ok"

    async with client_of(app) as client:
        await client.post("/login/ann")
        assert (await client.get("/me")).json() == "ann"
        answers = await asyncio.gather(*(client.get("/limited") for _ in range(60)))
    assert sorted(answer.status_code for answer in answers) == [200] * 20 + [429] * 40


async def test_openapi(async_store: AsyncStore) -> None:
    async with client_of(make_app(async_store, responses=RESPONSES)) as client:
        said = (await client.get("/openapi.json")).json()
    assert said["components"]["securitySchemes"] == {
        "login session": {"type": "apiKey", "in": "cookie", "name": "session"}
    }
    assert said["paths"]["/me"]["get"]["security"] == [{"login session": []}]
    assert "application/problem+json" in said["paths"]["/me"]["get"]["responses"]["429"]["content"]


async def test_a_handler_of_the_host(async_store: AsyncStore) -> None:
    app = make_app(async_store)

    @app.exception_handler(NotLoggedIn)
    async def elsewhere(_request: Request, error: NotLoggedIn) -> Any:
        return RedirectResponse(f"/login?kind={error.kind}")

    async with client_of(app) as client:
        answer = await client.get("/me")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/login?kind=login")


async def test_the_database_goes_and_comes_back(own_server: OwnServer) -> None:
    """RL-15: 503 for limits, errors for sessions while it is away; afterwards all is as before, with the same store."""
    async with AsyncStore.open(own_server.url) as store:
        app = make_app(store)

        @app.get("/limited", dependencies=[Depends(RateLimit("1000/day"))])
        async def limited() -> str:
            return "ok"

        async with client_of(app, raises=False) as client:
            await client.post("/login/ann")
            assert (await client.get("/limited")).status_code == 200
            with own_server.killed():
                statuses = [(await client.get(path)).status_code for path in ("/limited", "/me", "/perhaps")]
                assert statuses == [503, 500, 500]  # and nobody is taken for a visitor
            deadline = asyncio.get_running_loop().time() + 60
            while (await client.get("/limited")).status_code != 200:
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)
            assert (await client.get("/me")).json() == "ann"


# --------------------------------------------------------------------------------------------- a real server


def test_behind_uvicorn(database_url: str) -> None:
    """RL-1, and sessions that keep apart: eight threads of browsers, one server."""
    store = AsyncStore.open(database_url)
    app = make_app(store)

    @app.get("/limited", dependencies=[Depends(RateLimit(policy(30)))])
    async def limited() -> str:
        return "ok"

    def browse(base: str, number: int) -> tuple[list[int], list[Any]]:
        with httpx.Client(base_url=base) as client:
            token = client.post(f"/login/user{number}").cookies["session"]
            own = {"Cookie": f"session={token}"}  # Secure, so the client would not send it over HTTP
            statuses = [client.get("/limited", headers=own).status_code for _ in range(10)]
            texts = [client.post("/add/n", headers=own).json() for _ in range(5)]
            return statuses, [*texts, client.get("/me", headers=own).json()]

    with serving(app, store) as base:
        answers = run_calls(together(*(partial(browse, base, number) for number in range(8))))
    assert sorted(status for statuses, _ in answers for status in statuses) == [200] * 30 + [429] * 50
    assert [texts for _, texts in answers] == [[1, 2, 3, 4, 5, f"user{number}"] for number in range(8)]


@contextmanager
def serving(app: FastAPI, store: AsyncStore) -> Iterator[str]:
    """Serve an application from a thread; gives its address. The store is closed in the loop that used it."""
    app.router.lifespan_context = closing(store)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


def closing(store: AsyncStore) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with store:
            yield

    return lifespan
