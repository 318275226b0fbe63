"""Rate limits in Flask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast
from weakref import WeakKeyDictionary

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests

from ragstore.core import json
from ragstore.errors import UsageError
from ragstore.integrations._limits import APP, Rule, client_key, place_of, rule_for, together
from ragstore.rate_limits import Charge, Decision, Key, Policy, TrustedProxies, problem, rate_limit_headers
from ragstore.rate_limits.headers import Form
from ragstore.rate_limits.network import Network
from ragstore.store._sync import Store

View = TypeVar("View", bound=Callable[..., Any])
_DECISIONS = "ragstore.decisions"
_EXEMPT = "_ragstore_exempt"


class _Refused(HTTPException):
    """A refusal as a response. `@app.errorhandler` of its class or status may give another one."""

    def __init__(self, decision: Decision) -> None:
        super().__init__()
        self.decision = decision

    def get_response(self, environ: Any = None, scope: Any = None) -> Any:
        """Give the problem (RFC 9457); the limiter adds the header fields."""
        body = json.dumps(problem(self.decision))
        return Response(body, status=self.code, mimetype="application/problem+json")


class RateLimited(_Refused, TooManyRequests):
    """Over a limit, 429; `decision` says which and how long."""


class LimitsUnavailable(_Refused, ServiceUnavailable):
    """The database did not answer, and the policy is closed, 503."""


class _Asked(NamedTuple):
    """One limit of a view or of the whole application."""

    rule: Rule
    key: Key | Callable[[], Key] | None
    cost: int | Callable[[], int]
    methods: frozenset[str] | None
    when: Callable[[], bool] | None

    def holds(self) -> bool:
        return (self.methods is None or request.method in self.methods) and (self.when is None or self.when())


class RateLimiter:
    """Rate limits for a Flask application.

    Every limit is decided before the view runs. A refusal is `RateLimited`, which becomes a response 429 with problem
    details, or `LimitsUnavailable`, 503, where the database does not answer and the policy is closed. An error handler
    for these classes, or for 429 and 503, gives a response of the host's own. All responses have the header fields.

    A limit is a text like "5/minute; 50/day", a `Policy`, or the name of a defined one. A text counts for its view
    alone; a policy counts wherever it is named.

    Args:
        app: The application; or call `init_app`.
        store: A store, or a function that gives the one for a request: a tenant's handle, say.
        trusted_proxies: Networks of the proxies whose X-Forwarded-For is believed. Leave it empty where something else
            sets the client's address: werkzeug's ProxyFix, say.
        headers: Which header fields responses have, see `rate_limit_headers`. `()`: only Retry-After.

    Example:
        .. code-block:: python

            from flask import Flask, request
            from ragstore.integrations.flask import RateLimiter

            app = Flask("shop")
            limiter = RateLimiter(app, store=store)
            limiter.limit_app("300/minute")

            @app.post("/login")
            @limiter.limit("20/minute")
            @limiter.limit("5/minute", key=lambda: (limiter.client_key(), request.form["user"]))
            def log_in():
                return "welcome"
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        store: Store | Callable[[], Store],
        trusted_proxies: Iterable[str | Network] = (),
        headers: Form | Sequence[Form] = "ietf",
    ) -> None:
        self._store = store
        self._proxies = TrustedProxies(trusted_proxies)
        self._headers: Form | Sequence[Form] = headers
        self._app_limits: list[_Asked] = []
        self._limited: WeakKeyDictionary[Callable[..., Any], tuple[tuple[_Asked, ...], Callable[..., Any]]]
        self._limited = WeakKeyDictionary()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Have an application's requests counted, and its responses say so."""
        app.extensions.setdefault("ragstore.limiters", []).append(self)
        app.before_request(self._before_request)
        app.after_request(self._after_request)

    def limit(
        self,
        limit: str | Policy,
        *,
        key: Key | Callable[[], Key] | None = None,
        cost: int | Callable[[], int] = 1,
        methods: Collection[str] | None = None,
        when: Callable[[], bool] | None = None,
    ) -> Callable[[View], View]:
        """Limit a view, or any function called during a request. It stands below `@app.route`.

        Limits that stand directly above each other are decided together, all or nothing, in one round trip.

        Args:
            limit: A text, a policy, or a defined policy's name.
            key: Who is limited, or a function that says so; None: the client's address.
            cost: How much a request takes, or a function that says so.
            methods: The HTTP methods that it holds for; None: all.
            when: It holds only where this says so.

        Raises:
            InvalidInput: The text is no limit.
        """

        def decorate(view: View) -> View:
            asked = self._asked(rule_for(limit, place_of(view)), key, cost, methods, when)
            limits, inner = self._limited.get(view, ((), view))
            return cast(View, self._wrapped((asked, *limits), inner))

        return decorate

    def limit_app(
        self,
        limit: str | Policy,
        *,
        key: Key | Callable[[], Key] | None = None,
        cost: int | Callable[[], int] = 1,
        methods: Collection[str] | None = None,
        when: Callable[[], bool] | None = None,
    ) -> None:
        """Limit all requests together, those for unknown addresses too, but for static files and exempt views.

        It is decided before any view's own limits; what it took stays taken if those refuse. Arguments are those of
        `limit`.
        """
        self._app_limits.append(self._asked(rule_for(limit, APP), key, cost, methods, when))

    def exempt(self, view: View) -> View:
        """Leave a view out of `limit_app`."""
        setattr(view, _EXEMPT, True)
        return view

    def take(self, *charges: Charge) -> Decision:
        """Take from limits in the middle of a request, all or nothing; the response tells of them.

        Raises:
            RateLimited: Over a limit.
            LimitsUnavailable: The database did not answer, and a policy is closed.
            UsageError: The application does not know this limiter.
        """
        if self not in current_app.extensions.get("ragstore.limiters", ()):
            raise UsageError("this application does not know the limiter: call limiter.init_app(app) when it is made")
        store = self._store() if callable(self._store) else self._store
        return self.check(store.rate_limits.hit_all(charges))

    def check(self, decision: Decision) -> Decision:
        """Refuse the request if a decision does, and have the response tell of it: of a reservation's, say.

        Raises:
            RateLimited: It was refused.
            LimitsUnavailable: It was refused because the database did not answer.
        """
        # In the request's own environment: an application context, and its g, may outlive the request.
        request.environ.setdefault(_DECISIONS, {}).setdefault(self, []).append(decision)
        if not decision.allowed:
            raise LimitsUnavailable(decision) if decision.degraded else RateLimited(decision)
        return decision

    def client_key(self) -> str:
        """Give what the client's address is counted by: an IPv4 address, or an IPv6 network."""
        return client_key(request.remote_addr, request.headers.getlist("X-Forwarded-For"), self._proxies)

    @staticmethod
    def _asked(
        rule: Rule,
        key: Key | Callable[[], Key] | None,
        cost: int | Callable[[], int],
        methods: Collection[str] | None,
        when: Callable[[], bool] | None,
    ) -> _Asked:
        known = None if methods is None else frozenset(method.upper() for method in methods)
        return _Asked(rule, key, cost, known, when)

    def _wrapped(self, limits: tuple[_Asked, ...], inner: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(inner)
        def limited(*args: Any, **kwargs: Any) -> Any:
            self._take_all(limits)
            return current_app.ensure_sync(inner)(*args, **kwargs)

        self._limited[limited] = (limits, inner)
        return limited

    def _take_all(self, limits: Iterable[_Asked]) -> None:
        charges = [self._charge(asked) for asked in limits if asked.holds()]
        if charges:
            self.take(*charges)

    def _charge(self, asked: _Asked) -> Charge:
        key = asked.key() if callable(asked.key) else asked.key
        cost = asked.cost() if callable(asked.cost) else asked.cost
        return Charge(asked.rule.policy, asked.rule.key(self.client_key() if key is None else key), cost)

    def _before_request(self) -> None:
        endpoint = request.endpoint or ""
        view = current_app.view_functions.get(endpoint)
        if endpoint.rpartition(".")[2] != "static" and not getattr(view, _EXEMPT, False):
            self._take_all(self._app_limits)

    def _after_request(self, response: Response) -> Response:
        decisions = request.environ.get(_DECISIONS, {}).get(self)
        if decisions:
            for name, value in rate_limit_headers(together(decisions), form=self._headers):
                response.headers[name] = value
        return response
