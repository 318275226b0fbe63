"""A course platform on Flask: logins that cannot be guessed at, an API with limits, and a budget of tokens.

Run it with `python examples/flask_app.py`; DATABASE_URL names another database than the file `example.db`. Then:

    curl -c jar -b jar -d user=ann -d password=lecture http://127.0.0.1:5000/professor/login
    curl -b jar http://127.0.0.1:5000/professor/me
    curl -H 'Authorization: Bearer key-of-physics' -d question=Why http://127.0.0.1:5000/api/ask
"""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Any

from flask import Flask, abort, request

import ragstore
from ragstore import Charge, Policy, SessionRules, Store
from ragstore.errors import InvalidInput
from ragstore.integrations.flask import RateLimiter, StoreSessionInterface, login, logout, session_for
from ragstore.rate_limits import folded

# A real application has these in tables, and hashes of the passwords.
USERS = {"ann": ("lecture", "professor"), "bob": ("homework", "student")}
API_KEYS = {"key-of-physics": "physics", "key-of-history": "history"}

# Of one user's attempts from one address, and of all attempts on one user, wherever they come from.
LOGIN = Policy("login", "5/minute; 20/hour")
LOGIN_OF_USER = Policy("login-user", "100/hour")
API = Policy("api", "60/minute")
# An organisation's tokens in a day (UTC). A crash of the server must not give any of them back.
TOKENS = Policy("tokens", "100000/day", algorithm="fixed", durable=True)
MOST_TOKENS = 2_000


def make_app(url: str) -> Flask:
    """Make the application on a database, whose schema is brought up to date."""
    ragstore.upgrade(url)
    store = Store.open(url)
    store.sessions.define(
        SessionRules("professor", idle=30 * 60, absolute=8 * 3600, max_sessions=3),
        SessionRules("student", idle=7 * 86400, absolute=30 * 86400, max_sessions=5),
    )
    app = Flask("courses")
    app.extensions["store"] = store
    app.session_interface = StoreSessionInterface(store)
    app.register_error_handler(InvalidInput, lambda error: (str(error), 400))
    limiter = RateLimiter(app, store=store)  # behind a proxy: trusted_proxies=["10.0.0.0/8"]
    limiter.limit_app("600/minute")  # by address: keys cannot be guessed at
    _add_logins(app, store, limiter)
    _add_api(app, store, limiter)
    return app


def _add_logins(app: Flask, store: Store, limiter: RateLimiter) -> None:
    @app.post("/<kind>/login")
    def log_in(kind: str) -> dict[str, Any]:
        user, password = folded(request.form["user"]), request.form["password"]
        attempt = (kind, limiter.client_key(), user)
        limiter.take(Charge(LOGIN, attempt), Charge(LOGIN_OF_USER, (kind, user)))
        expected, role = USERS.get(user, ("", ""))
        if role != kind or not compare_digest(password.encode(), expected.encode()):
            abort(403)
        login(user, kind=kind, label=request.form.get("device"))
        store.rate_limits.reset(LOGIN, attempt)  # who knows the password need not wait
        return {"user": user}

    @app.get("/<kind>/me")
    def me(kind: str) -> dict[str, Any]:
        session = session_for(kind)
        if session.user_id is None:
            abort(401)
        session["visits"] = session.get("visits", 0) + 1
        devices = store.sessions.list_user(session.user_id, kind=kind, current=session.token)
        shown = [{"label": one.label, "last_seen": one.last_seen_at, "this": one.is_current} for one in devices]
        return {"user": session.user_id, "visits": session["visits"], "devices": shown}

    @app.post("/<kind>/logout")
    def log_out(kind: str) -> dict[str, Any]:
        logout(kind)
        return {}

    @app.post("/<kind>/logout-everywhere")
    def log_out_everywhere(kind: str) -> dict[str, Any]:
        user = session_for(kind).user_id
        if user is None:
            abort(401)
        logout(kind)
        return {"ended": 1 + store.sessions.revoke_user(user, kind=kind)}


def _organisation() -> str:
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return API_KEYS.get(key) or abort(401)


def _add_api(app: Flask, store: Store, limiter: RateLimiter) -> None:
    @app.post("/api/ask")
    @limiter.limit(API, key=_organisation)
    def ask() -> dict[str, Any]:
        organisation = _organisation()
        reservation = store.rate_limits.reserve(TOKENS, organisation, MOST_TOKENS)
        limiter.check(reservation.decision)
        used = 0  # if the model fails, the organisation pays nothing
        try:
            answer, used = ask_the_model(request.form["question"])
        finally:
            store.rate_limits.settle(reservation, used)
        return {"answer": answer, "tokens": used, "left": store.rate_limits.peek(TOKENS, organisation).remaining}


def ask_the_model(question: str) -> tuple[str, int]:
    """Stand in for a language model: an answer, and how many tokens it took."""
    return f"That is a good question: {question}", 10 * len(question.split())


if __name__ == "__main__":
    make_app(os.environ.get("DATABASE_URL", "sqlite:///example.db")).run()
