"""The applications in examples/ do what they say, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from examples import fastapi_app, flask_app
from ragstore import Policy
from tests.integrations.support import QUIET, told

pytestmark = pytest.mark.anyio

ANN = {"user": " Ann ", "password": "lecture", "device": "laptop"}
KEY = {"Authorization": "Bearer key-of-physics"}


class Browser:
    """One browser, whichever framework is at the other end; what it sends is a form or JSON."""

    def __init__(self, client: httpx.AsyncClient, body: str) -> None:
        self.client = client
        self.body = body

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, content: Any = None, **more: Any) -> httpx.Response:
        return await self.client.post(path, **{self.body: content}, **more)

    async def log_in(self, kind: str, **more: str) -> httpx.Response:
        return await self.post(f"/{kind}/login", {**ANN, **more})

    async def ask(self, words: int, **headers: str) -> httpx.Response:
        return await self.post(
            "/api/ask", {"text" if self.body == "json" else "question": "why " * words}, headers={**KEY, **headers}
        )


@pytest.fixture(autouse=True)
def _patient_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the applications' policies wait longer than a busy machine takes."""
    for module in (flask_app, fastapi_app):
        for name, policy in [*vars(module).items()]:
            if isinstance(policy, Policy):
                monkeypatch.setattr(module, name, replace(policy, max_wait=QUIET))


@pytest.fixture(params=["flask", "fastapi"])
async def app(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[tuple[Any, str]]:
    if request.param == "flask":
        made = flask_app.make_app(database_url)
        yield Adapted(made), "data"
        made.extensions["store"].close()
    else:
        app = fastapi_app.make_app(database_url)
        async with app.router.lifespan_context(app):
            yield httpx.ASGITransport(app), "json"


class Adapted(httpx.AsyncBaseTransport):
    """Let an async client ask a WSGI application."""

    def __init__(self, app: Any) -> None:
        self.inner = httpx.WSGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        answer = self.inner.handle_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


@pytest.fixture
async def browser(app: tuple[Any, str]) -> AsyncIterator[Browser]:
    transport, body = app
    async with httpx.AsyncClient(transport=transport, base_url="https://courses.example") as client:
        yield Browser(client, body)


@pytest.fixture
async def other(app: tuple[Any, str]) -> AsyncIterator[Browser]:
    transport, body = app
    async with httpx.AsyncClient(transport=transport, base_url="https://courses.example") as client:
        yield Browser(client, body)


async def test_professor_and_student_side_by_side(browser: Browser) -> None:
    assert (await browser.get("/professor/me")).status_code == 401
    assert (await browser.log_in("student")).status_code == 403  # she is none
    assert (await browser.log_in("professor")).json() == {"user": "ann"}
    assert (await browser.log_in("student", user="bob", password="homework")).status_code == 200
    assert (await browser.get("/professor/me")).json()["user"] == "ann"
    assert [(await browser.get("/student/me")).json()["visits"] for _ in range(2)] == [1, 2]
    await browser.post("/professor/logout")
    assert (await browser.get("/professor/me")).status_code == 401
    assert (await browser.get("/student/me")).json()["visits"] == 3


async def test_logout_everywhere(browser: Browser, other: Browser) -> None:
    for one, device in ((browser, "laptop"), (other, "phone")):
        assert (await one.log_in("professor", device=device)).status_code == 200
    devices = (await browser.get("/professor/me")).json()["devices"]
    assert {(one["label"], one["this"]) for one in devices} == {("laptop", True), ("phone", False)}
    assert (await browser.post("/professor/logout-everywhere")).json() == {"ended": 2}
    for one in (browser, other):
        assert (await one.get("/professor/me")).status_code == 401


async def test_logins_cannot_be_guessed_at(browser: Browser) -> None:
    """By user and address; who knows the password is not kept waiting by earlier mistakes."""
    for _ in range(4):
        assert (await browser.log_in("professor", password="wrong")).status_code == 403
    assert (await browser.log_in("professor")).status_code == 200
    statuses = [(await browser.log_in("professor", password="wrong")).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    assert (await browser.log_in("professor")).status_code == 429  # not even with the right one now
    assert (await browser.log_in("student", user="bob", password="homework")).status_code == 200
    assert (await browser.log_in("student", user=" ")).status_code == 400


async def test_an_api_with_a_budget(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """By key; tokens are reserved, and settled for what was really used."""
    first = await browser.ask(3)
    assert (first.json()["tokens"], first.json()["left"]) == (30, 99_970)
    assert told(first.headers)["api"]["r"] == 59
    assert (await browser.ask(3, Authorization="Bearer key-of-history")).json()["left"] == 99_970
    assert (await browser.ask(3, Authorization="Bearer nonsense")).status_code == 401
    with monkeypatch.context() as patch:
        for module in (flask_app, fastapi_app):
            patch.setattr(module, "MOST_TOKENS", 99_971)
        refused = await browser.ask(3)
    assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["tokens"])
    assert (await browser.ask(1)).json()["left"] == 99_960
