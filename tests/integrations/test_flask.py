"""Flask: limits and sessions through its own test clients, and behind a real threaded server."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial, wraps
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, request, session, stream_with_context
from flask.testing import FlaskClient
from flask.views import MethodView
from werkzeug.serving import make_server

from ragstore import Charge, Limit, Policy, SessionRules, Store
from ragstore.errors import InvalidInput, LimitExceeded, RagstoreError, UsageError
from ragstore.integrations.flask import (
    RateLimited,
    RateLimiter,
    StoreSessionInterface,
    login,
    logout,
    session_for,
)
from tests.conformance.support import Database, run_calls, together
from tests.integrations.support import QUIET, check_refusal, cookie_of, told

YEAR = timedelta(days=365)


def policy(amount: int, name: str = "a", **more: Any) -> Policy:
    """Give a policy whose amount does not come back during a test."""
    return Policy(name, Limit(amount, YEAR), max_wait=QUIET, **more)


def make_app(store: Store) -> Flask:
    app = Flask("shop")
    app.testing = True
    app.session_interface = StoreSessionInterface(store)

    @app.get("/quiet")
    def quiet() -> str:
        return "nothing"

    @app.get("/read")
    def read() -> dict[str, Any]:
        return dict(session)

    @app.get("/add/<key>")
    def add(key: str) -> str:
        session[key] = session.get(key, 0) + 1
        return str(session[key])

    @app.get("/login/<user>")
    def log_in(user: str) -> str:
        return str(login(user).id)

    @app.get("/logout")
    def log_out() -> str:
        logout()
        return "bye"

    @app.get("/who")
    def who() -> str:
        return str(session_for("web").user_id)

    return app


@pytest.fixture
def app(store: Store) -> Flask:
    return make_app(store)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token_of(client: FlaskClient, name: str = "session") -> str | None:
    found = client.get_cookie(name)
    return None if found is None else found.value


# ------------------------------------------------------------------------------------------------------- limits


class TestLimits:
    @pytest.fixture
    def limiter(self, app: Flask, store: Store) -> RateLimiter:
        return RateLimiter(app, store=store, trusted_proxies=["10.0.0.0/8"])

    def test_a_text_counts_for_its_view_and_each_address(
        self, app: Flask, client: FlaskClient, limiter: RateLimiter
    ) -> None:
        for name in ("one", "two"):

            def view() -> str:
                return "ok"

            view.__name__ = view.__qualname__ = name
            app.add_url_rule(f"/{name}", view_func=limiter.limit("2/day")(view))
        for left in (1, 0):
            admitted = client.get("/one")
            assert (admitted.status_code, told(admitted.headers)["one"]["r"]) == (200, left)
            assert told(admitted.headers)["one"]["q"] == 2
            assert "Retry-After" not in admitted.headers
        refused = client.get("/one")
        check_refusal(refused.status_code, refused.headers, refused.json, "one")
        assert client.get("/two").status_code == 200
        assert client.get("/one", environ_base={"REMOTE_ADDR": "2001:db8::1"}).status_code == 200
        assert client.get("/one", environ_base={"REMOTE_ADDR": "2001:db8::2"}).status_code == 200
        assert client.get("/one", environ_base={"REMOTE_ADDR": "2001:db8::3"}).status_code == 429  # one /64, one client

    def test_views_of_one_name_in_two_modules_count_apart(
        self, app: Flask, client: FlaskClient, limiter: RateLimiter
    ) -> None:
        for module in ("shop.cart", "shop.admin"):

            def view() -> str:
                return "ok"

            view.__module__ = module
            app.add_url_rule(f"/{module}", module.replace(".", "-"), limiter.limit("1/day")(view))
        statuses = [client.get(path).status_code for path in ("/shop.cart", "/shop.admin", "/shop.cart")]
        assert statuses == [200, 200, 429]

    def test_the_older_fields_tell_of_the_limit_that_binds(self, app: Flask, store: Store) -> None:
        """Of several decisions in a request: the one that refused, else the one with the least share left."""
        limiter = RateLimiter(app, store=store, headers="separate")
        limiter.limit_app(policy(2, "app"))
        app.add_url_rule("/", view_func=limiter.limit(policy(1000, "view"))(lambda: "ok"))
        app.add_url_rule("/closed", "closed", limiter.limit(policy(10, "other"), cost=11)(lambda: "ok"))
        client = app.test_client()
        answers = [client.get("/"), client.get("/closed", environ_base={"REMOTE_ADDR": "192.0.2.1"}), client.get("/")]
        assert [answer.headers["RateLimit-Limit"] for answer in answers] == ["2", "10", "2"]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "10", "0"]

    def test_the_client_behind_a_proxy(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        """RL-13: only a trusted proxy is believed; a Unix socket's peer is this machine."""
        app.add_url_rule("/", view_func=lambda: limiter.client_key())

        def seen(peer: str, *forwarded: str) -> str:
            headers = [("X-Forwarded-For", value) for value in forwarded]
            return client.get("/", environ_base={"REMOTE_ADDR": peer}, headers=headers).text

        assert seen("203.0.113.7", "198.51.100.1") == "203.0.113.7"
        assert seen("10.0.0.1", "192.0.2.99, 198.51.100.1", "10.0.0.2") == "198.51.100.1"
        assert seen("") == "127.0.0.1"

    def test_stacked_limits_are_decided_together(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        """RL-4: what one refuses, the other does not charge."""

        @app.get("/<user>")
        @limiter.limit(policy(4, "all"), key="everybody")
        @limiter.limit(policy(2, "user"), key=lambda: ("user", request.view_args["user"]))  # type: ignore[index]
        def view(user: str) -> str:
            return user

        assert [client.get("/ann").status_code for _ in range(6)] == [200, 200, 429, 429, 429, 429]
        assert [client.get("/bob").status_code for _ in range(3)] == [200, 200, 429]
        said = told(client.get("/eve").headers)
        assert (said["all"]["r"], said["user"]["r"]) == (0, 2)

    def test_another_decorator_between_keeps_both(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        def shouting(function: Callable[[], str]) -> Callable[[], str]:
            @wraps(function)
            def shouted() -> str:
                return function().upper()

            return shouted

        @app.get("/")
        @limiter.limit(policy(5, "outer"))
        @shouting
        @limiter.limit(policy(2, "inner"))
        def view() -> str:
            return "ok"

        answers = [client.get("/") for _ in range(3)]
        assert [answer.text for answer in answers[:2]] == ["OK", "OK"]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        said = told(answers[2].headers)
        assert (said["outer"]["r"], said["inner"]["r"]) == (2, 0)

    def test_names_costs_methods_and_conditions(
        self, app: Flask, client: FlaskClient, limiter: RateLimiter, store: Store
    ) -> None:
        store.rate_limits.define(policy(10, "named"))

        @app.route("/", methods=["GET", "POST"])
        @limiter.limit(
            "named",
            key="k",
            cost=lambda: int(request.args["cost"]),
            methods=["post"],
            when=lambda: "free" not in request.args,
        )
        def view() -> str:
            return "ok"

        assert "RateLimit" not in client.get("/?cost=9").headers
        assert "RateLimit" not in client.post("/?cost=9&free=1").headers
        assert told(client.post("/?cost=7").headers)["named"]["r"] == 3
        assert client.post("/?cost=4").status_code == 429
        assert store.rate_limits.peek("named", "k").remaining == 3
        impossible = client.post("/?cost=11")
        assert (impossible.status_code, "Retry-After" in impossible.headers) == (429, False)

    def test_the_whole_application(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        """Unknown addresses count too; static files and exempt views do not."""
        limiter.limit_app(policy(3, "app"))
        health = Blueprint("health", "health")
        health.add_url_rule("/health", view_func=limiter.exempt(lambda: "well"))
        app.register_blueprint(health)
        for _ in range(5):
            assert client.get("/health").status_code == 200
            assert client.get("/static/none.css").status_code == 404
        assert [client.get(path).status_code for path in ("/quiet", "/nowhere", "/quiet", "/quiet", "/nowhere")] == [
            200, 404, 200, 429, 429,
        ]  # fmt: skip

    def test_the_response_tells_of_all_limits(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        limiter.limit_app(policy(100, "app"))

        @app.get("/")
        @limiter.limit(policy(50, "view"))
        def view() -> str:
            limiter.take(Charge(policy(9, "inside"), "k", cost=4))
            raise RuntimeError

        app.testing = False
        answer = client.get("/")
        assert answer.status_code == 500
        said = told(answer.headers)
        assert {name: values["r"] for name, values in said.items()} == {"app": 99, "view": 49, "inside": 5}

    @pytest.mark.parametrize(("form", "expected"), [
        ("separate", {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}),
        (("x",), {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}),
        ((), set()),
    ])  # fmt: skip
    def test_other_header_forms(self, app: Flask, store: Store, form: Any, expected: set[str]) -> None:
        limiter = RateLimiter(app, store=store, headers=form)
        app.add_url_rule("/", view_func=limiter.limit(policy(1))(lambda: "ok"))
        client = app.test_client()
        assert {name for name, _ in client.get("/").headers if "RateLimit" in name} == expected
        refused = client.get("/")
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0

    def test_handlers_of_the_host(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        app.add_url_rule("/one", view_func=limiter.limit(policy(1))(lambda: "ok"))

        @app.errorhandler(429)
        def by_status(error: RateLimited) -> tuple[str, int]:
            return f"slowly, {error.decision.policy}", 429

        client.get("/one")
        refused = client.get("/one")
        assert (refused.text, refused.status_code) == ("slowly, a", 429)
        assert "Retry-After" in refused.headers

    def test_a_handler_by_class(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        app.add_url_rule("/one", view_func=limiter.limit(policy(1))(lambda: "ok"))
        app.register_error_handler(RateLimited, lambda error: (str(error.decision.remaining), 400))
        client.get("/one")
        refused = client.get("/one")
        assert (refused.text, refused.status_code) == ("0", 400)

    def test_views_of_classes(self, app: Flask, client: FlaskClient, limiter: RateLimiter) -> None:
        class Things(MethodView):
            decorators = (limiter.limit("1/day"),)

            def get(self) -> str:
                return "things"

        class Others(Things):
            pass

        app.add_url_rule("/things", view_func=Things.as_view("things"))
        app.add_url_rule("/others", view_func=Others.as_view("others"))
        statuses = [client.get(path).status_code for path in ("/things", "/others", "/things", "/others")]
        assert statuses == [200, 200, 429, 429]

    def test_requests_inside_one_application_context_have_their_own_headers(
        self, app: Flask, limiter: RateLimiter
    ) -> None:
        app.add_url_rule("/one", view_func=limiter.limit(policy(9))(lambda: "ok"))
        with app.app_context():
            client = app.test_client()
            assert "RateLimit" in client.get("/one").headers
            assert "RateLimit" not in client.get("/quiet").headers

    def test_an_application_that_was_not_told(self, app: Flask, store: Store) -> None:
        limiter = RateLimiter(store=store)
        app.add_url_rule("/", view_func=limiter.limit(policy(1))(lambda: "ok"))
        with pytest.raises(UsageError, match="init_app"):
            app.test_client().get("/")

    def test_wrong_texts_are_refused_at_once(self, limiter: RateLimiter) -> None:
        with pytest.raises(InvalidInput, match="no known unit"):
            limiter.limit("5/x")(lambda: "ok")

    def test_a_store_for_each_request(self, app: Flask, store: Store) -> None:
        limiter = RateLimiter(app, store=lambda: store.for_tenant(request.headers["Tenant"]))
        app.add_url_rule("/", view_func=limiter.limit(policy(1))(lambda: "ok"))
        client = app.test_client()
        answers = [client.get("/", headers={"Tenant": tenant}).status_code for tenant in ("a", "b", "a", "b")]
        assert answers == [200, 200, 429, 429]

    def test_exactly_as_many_as_the_limit_says(self, app: Flask, limiter: RateLimiter) -> None:
        """RL-1: eight threads of real clients, one limit."""
        app.add_url_rule("/", view_func=limiter.limit(policy(30))(lambda: "ok"))
        with serving(app) as get:
            statuses = run_calls(together(*[partial(repeat, get, "/", 10)] * 8))
        flat = [status for some in statuses for status in some]
        assert sorted(flat) == [200] * 30 + [429] * 50

    def test_without_a_database(self, absent_url: str) -> None:
        """RL-15: closed policies refuse with 503, open ones admit, and nothing is told of what is not known."""
        app = Flask("shop")
        with Store.open(absent_url) as store:
            limiter = RateLimiter(app, store=store)
            app.add_url_rule("/closed", "closed", limiter.limit("5/minute")(lambda: "ok"))
            app.add_url_rule("/open", "open", limiter.limit(policy(1, failure="open"))(lambda: "ok"))
            app.add_url_rule("/handled", "handled", limiter.limit("6/minute")(lambda: "ok"))
            client = app.test_client()
            refused = client.get("/closed")
            assert refused.status_code == 503
            assert refused.json is not None
            assert refused.json["type"].endswith("#temporary-reduced-capacity")
            assert refused.headers["Retry-After"]
            assert "RateLimit" not in refused.headers
            assert [client.get("/open").status_code for _ in range(3)] == [200] * 3


# ------------------------------------------------------------------------------------------------------ sessions


class TestSessions:
    def test_nothing_for_requests_that_do_not_write(self, client: FlaskClient, db: Database) -> None:
        """S-11: no row, no cookie; and a request that does not use its session says nothing of cookies."""
        for path, vary in (("/quiet", None), ("/read", "Cookie"), ("/who", "Cookie"), ("/logout", "Cookie")):
            answer = client.get(path)
            assert "Set-Cookie" not in answer.headers
            assert answer.headers.get("Vary") == vary
        assert "rag_session" not in db.counts()

    def test_permanent_alone_is_nothing_to_store(self, app: Flask, client: FlaskClient, db: Database) -> None:
        @app.before_request
        def make_permanent() -> None:
            session.permanent = True

        assert "Set-Cookie" not in client.get("/quiet").headers
        assert "rag_session" not in db.counts()
        client.get("/add/n")
        assert db.counts()["rag_session"] == 1

    def test_data_stay(self, client: FlaskClient, db: Database) -> None:
        first = client.get("/add/n")
        assert first.headers["Vary"] == "Cookie"
        assert [client.get("/add/n").text for _ in range(2)] == ["2", "3"]
        assert client.get("/read").json == {"n": 3}
        again = client.get("/add/n")
        assert "Set-Cookie" not in again.headers  # the token is the same
        assert db.counts()["rag_session"] == 1

    def test_changes_inside_values_are_stored(self, app: Flask, client: FlaskClient) -> None:
        @app.get("/cart/<item>")
        def cart(item: str) -> dict[str, Any]:
            session.setdefault("cart", {"items": []})["items"].append(item)
            return dict(session)

        @app.get("/swap")
        def swap() -> str:
            session["cart"]["items"] = 1
            return "ok"

        @app.get("/swap2")
        def swap2() -> str:
            session["cart"]["items"] = True  # equal to 1 for Python, not in JSON
            return "ok"

        client.get("/cart/tea")
        assert client.get("/cart/milk").json == {"cart": {"items": ["tea", "milk"]}}
        client.get("/swap")
        client.get("/swap2")
        assert client.get("/read").json == {"cart": {"items": True}}

    def test_flags(self, app: Flask, client: FlaskClient) -> None:
        plain = cookie_of(client.get("/add/n").headers["Set-Cookie"])
        assert (plain["httponly"], plain["samesite"], plain["path"], plain["secure"]) == (True, "Lax", "/", "")
        assert (plain["expires"], plain["domain"]) == ("", "")
        https = app.test_client()
        assert cookie_of(https.get("/add/n", base_url="https://localhost").headers["Set-Cookie"])["secure"] is True
        app.config |= {
            "SESSION_COOKIE_NAME": "__Host-shop",
            "SESSION_COOKIE_SECURE": True,
            "SESSION_COOKIE_SAMESITE": "Strict",
            "SESSION_COOKIE_PATH": "/",
        }
        configured = cookie_of(app.test_client().get("/add/n").headers["Set-Cookie"])
        assert configured.key == "__Host-shop"
        assert (configured["httponly"], configured["samesite"], configured["secure"]) == (True, "Strict", True)

    def test_a_permanent_session_is_kept_by_the_browser(self, app: Flask, client: FlaskClient) -> None:
        @app.get("/keep")
        def keep() -> str:
            session.permanent = True
            session["n"] = 1
            return "ok"

        client.get("/add/n")
        assert cookie_of(client.get("/keep").headers["Set-Cookie"])["expires"]
        assert cookie_of(client.get("/read").headers["Set-Cookie"])["expires"]  # used, so kept for longer
        assert "Set-Cookie" not in client.get("/quiet").headers
        app.config["SESSION_REFRESH_EACH_REQUEST"] = False
        assert "Set-Cookie" not in client.get("/read").headers

    def test_a_login_replaces_the_token(self, app: Flask, client: FlaskClient, store: Store, db: Database) -> None:
        """Fixation: the token from before the login is dead, and the data have moved."""
        client.get("/add/n")
        before = token_of(client)
        client.get("/login/ann")
        after = token_of(client)
        assert before != after
        assert store.sessions.authenticate(before) is None
        found = store.sessions.authenticate(after, kind="web")
        assert found is not None
        assert (found.user_id, found.data, found.agent) == ("ann", {"n": 1}, "Werkzeug/" + str(found.agent)[9:])
        assert found.ip == "127.0.0.0/24"
        attacker = app.test_client()
        attacker.set_cookie("session", before or "")
        answer = attacker.get("/who")
        assert answer.text == "None"
        assert cookie_of(answer.headers["Set-Cookie"])["max-age"] == "0"

    def test_another_user_does_not_get_the_data(self, client: FlaskClient) -> None:
        client.get("/login/ann")
        client.get("/add/secret")
        client.get("/login/ann")
        assert client.get("/read").json == {"secret": 1}
        client.get("/login/bob")
        assert (client.get("/read").json, client.get("/who").text) == ({}, "bob")

    def test_what_a_login_request_writes_is_kept(self, app: Flask, client: FlaskClient) -> None:
        @app.get("/both")
        def both() -> str:
            session["before"] = 1
            login("ann")
            session["after"] = 2
            return "ok"

        client.get("/both")
        assert client.get("/read").json == {"before": 1, "after": 2}

    def test_a_logout(self, client: FlaskClient, store: Store) -> None:
        client.get("/login/ann")
        token = token_of(client)
        gone = cookie_of(client.get("/logout").headers["Set-Cookie"])
        assert (gone.value, gone["max-age"], gone["httponly"]) == ("", "0", True)
        assert token_of(client) is None
        assert store.sessions.authenticate(token) is None

    def test_clearing_leaves_the_session(self, app: Flask, client: FlaskClient, store: Store) -> None:
        """What is written after `clear` is in a new session: so many log in with Flask."""

        @app.get("/swap")
        def swap() -> str:
            session.clear()
            session["user"] = 7
            return "ok"

        @app.get("/clear")
        def clear() -> str:
            session.clear()
            return "ok"

        client.get("/add/n")
        before = token_of(client)
        client.get("/swap")
        assert client.get("/read").json == {"user": 7}
        assert token_of(client) != before
        assert store.sessions.authenticate(before) is None
        last = token_of(client)
        client.get("/clear")
        assert token_of(client) is None
        assert store.sessions.authenticate(last) is None

    def test_a_visitors_empty_session_goes(self, app: Flask, client: FlaskClient, store: Store) -> None:
        @app.get("/pop")
        def pop() -> str:
            session.pop("n")
            return "ok"

        client.get("/add/n")
        token = token_of(client)
        client.get("/pop")
        assert token_of(client) is None
        assert store.sessions.authenticate(token) is None
        client.get("/add/n")
        client.get("/login/ann")
        client.get("/pop")
        assert client.get("/who").text == "ann"  # who is logged in stays so

    def test_an_empty_session_of_the_hosts_own_stays(self, client: FlaskClient, store: Store) -> None:
        token = store.sessions.create(kind="web").token
        client.set_cookie("session", token)
        assert client.get("/read").json == {}
        assert store.sessions.authenticate(token) is not None

    def test_a_revoked_session_ends_with_the_next_request(
        self, client: FlaskClient, store: Store, db: Database
    ) -> None:
        """S-2: a dead token gets nothing but its cookie removed, and never its row back."""
        client.get("/login/ann")
        assert store.sessions.revoke_user("ann") == 1
        answer = client.get("/read")
        assert answer.json == {}
        assert cookie_of(answer.headers["Set-Cookie"])["max-age"] == "0"
        for nonsense in ("x", "rs1.a.b.0.c", "\xe9" * 9):
            client.set_cookie("session", nonsense)
            assert client.get("/read").json == {}
        assert db.counts()["rag_session"] == 1

    def test_a_rotated_token_is_handed_on(self, app: Flask, client: FlaskClient, store: Store) -> None:
        """S-3: a browser that missed the answer with the new token gets it with the next one."""

        @app.get("/rotate")
        def rotate() -> str:
            session_for("web").rotate()
            return "ok"

        client.get("/login/ann")
        first = token_of(client)
        client.get("/rotate")
        second = token_of(client)
        assert second != first
        late = app.test_client()
        late.set_cookie("session", first or "")
        assert late.get("/who").text == "ann"
        assert token_of(late) == second

    def test_kinds_live_side_by_side(self, app: Flask, client: FlaskClient, store: Store) -> None:
        @app.get("/as/<kind>/<user>")
        def log_in_as(kind: str, user: str) -> str:
            login(user, kind=kind)
            session_for(kind)["page"] = kind
            return "ok"

        @app.get("/out/<kind>")
        def log_out_as(kind: str) -> str:
            logout(kind)
            return "ok"

        @app.get("/all")
        def everybody() -> list[Any]:
            return [[session_for(kind).user_id, dict(session_for(kind))] for kind in ("professor", "student")]

        client.get("/as/professor/ann")
        client.get("/as/student/bob")
        assert client.get("/all").json == [["ann", {"page": "professor"}], ["bob", {"page": "student"}]]
        assert (token_of(client, "session_professor"), token_of(client)) != (None, None)
        client.set_cookie("session_student", token_of(client, "session_professor") or "")
        assert client.get("/all").json[1] == [None, {}]  # type: ignore[index]
        client.get("/as/student/bob")
        client.get("/out/student")
        assert client.get("/all").json == [["ann", {"page": "professor"}], [None, {}]]
        assert token_of(client, "session_student") is None

    def test_parallel_changes_of_one_session_are_merged(self, app: Flask) -> None:
        """Each request stores the keys that it changed; none is lost."""
        barrier = threading.Barrier(8)

        @app.get("/slow/<key>")
        def slow(key: str) -> str:
            session.get(key)
            barrier.wait(60)
            session[key] = 1
            session["last"] = key
            return "ok"

        first = app.test_client()
        first.get("/add/n")
        token = token_of(first)

        def one(number: int) -> int:
            client = app.test_client()
            client.set_cookie("session", token or "")
            return client.get(f"/slow/k{number}").status_code

        assert run_calls(together(*(partial(one, number) for number in range(8)))) == [200] * 8
        stored = first.get("/read").json
        assert stored is not None
        assert stored.pop("last") in stored
        assert stored == {"n": 1} | {f"k{number}": 1 for number in range(8)}

    def test_a_session_that_ends_meanwhile_stays_ended(self, app: Flask, client: FlaskClient, store: Store) -> None:
        """S-8; and the answer does not touch the cookie, which may be another login's by then."""

        @app.get("/late")
        def late() -> str:
            session["n"] = 2
            store.sessions.revoke_user("ann")
            return "ok"

        client.get("/login/ann")
        answer = client.get("/late")
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
        assert client.get("/read").json == {}

    def test_data_must_be_json(self, app: Flask, client: FlaskClient, db: Database) -> None:
        """S-12: said clearly, and nothing is stored."""

        @app.get("/object")
        def write_object() -> str:
            session["when"] = timedelta(1)
            return "ok"

        with pytest.raises(InvalidInput, match=r"data\.when.*timedelta"):
            client.get("/object")
        assert "rag_session" not in db.counts()

    def test_after_the_response_has_started(self, app: Flask, client: FlaskClient) -> None:
        failed = []

        @app.get("/stream")
        def stream() -> Response:
            def pieces() -> Iterator[str]:
                yield str(session.get("n"))
                try:
                    session["n"] = 9
                except UsageError as error:
                    failed.append(str(error))

            return Response(stream_with_context(pieces()))  # type: ignore[type-var]

        client.get("/add/n")
        assert client.get("/stream").text == "1"
        assert "response has been started" in failed[0]

    def test_the_test_clients_own_transaction(self, client: FlaskClient) -> None:
        with client.session_transaction() as opened:
            opened["n"] = 41
        assert client.get("/add/n").text == "42"

    def test_too_many_logins(self, app: Flask, client: FlaskClient, store: Store) -> None:
        store.sessions.define(SessionRules("web", max_sessions=1, on_limit="reject"))
        client.get("/login/ann")
        client.get("/login/ann")  # replaces its own
        with pytest.raises(LimitExceeded):
            app.test_client().get("/login/ann")
        assert client.get("/who").text == "ann"

    def test_without_a_database(self, absent_url: str) -> None:
        """A session that cannot be read is an error, never an empty one; who does not use it does not notice."""
        with Store.open(absent_url) as store:
            app = make_app(store)
            client = app.test_client()
            assert client.get("/read").json == {}  # there is no token to ask about
            with pytest.raises(RagstoreError):
                client.get("/add/n")
            client.set_cookie("session", "rs1.ZGVmYXVsdA.AZrvz4qsf9qGk1u4dGJ3rQ.0." + "A" * 43)
            with pytest.raises(RagstoreError):
                client.get("/read")
            assert client.get("/quiet").status_code == 200
            app.testing = False
            assert app.test_client().get("/add/n").status_code == 500

    def test_another_session_interface(self, store: Store) -> None:
        app = Flask("plain")
        app.secret_key = "k"
        app.add_url_rule("/", view_func=lambda: login("ann").user_id or "")
        app.testing = True
        with pytest.raises(UsageError, match="StoreSessionInterface"):
            app.test_client().get("/")

    def test_many_clients_at_once_keep_apart(self, app: Flask, db: Database) -> None:
        """Eight threads with a browser each, behind a real server: nobody sees anybody else's session."""

        def browse(get: Get, number: int) -> list[str]:
            cookies: dict[str, str] = {}
            paths = [f"/login/user{number}", *["/add/n"] * 5, "/who", "/read"]
            return [get(path, cookies)[1] for path in paths]

        with serving(app) as get:
            answers = run_calls(together(*(partial(browse, get, number) for number in range(8))))
        for number, texts in enumerate(answers):
            assert texts[1:] == ["1", "2", "3", "4", "5", f"user{number}", '{"n":5}\n']
        assert db.counts()["rag_session"] == 8


Get = Callable[[str, dict[str, str]], tuple[int, str]]


@contextmanager
def serving(app: Flask) -> Iterator[Get]:
    """Serve an application from threads; gives a function that asks it, as a browser with these cookies."""
    app.testing = False
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def get(path: str, cookies: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            for header in answer.msg.get_all("Set-Cookie", []):
                morsel = cookie_of(header)
                cookies[morsel.key] = morsel.value
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    try:
        yield get
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def repeat(get: Get, path: str, times: int) -> list[int]:
    return [get(path, {})[0] for _ in range(times)]
