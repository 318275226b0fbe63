"""What all handles on one store share of sessions: the rules of each kind, and who wants to hear of events."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence

from ragstore.errors import InvalidInput
from ragstore.sessions.records import SessionEvent, SessionRules

logger = logging.getLogger("ragstore.sessions")

Listener = Callable[[SessionEvent], None]


class SessionBook:
    """Rules and listeners; one for each store."""

    def __init__(self) -> None:
        self._rules: dict[str, SessionRules] = {}
        self._listeners: tuple[Listener, ...] = ()

    def define(self, rules: Sequence[SessionRules]) -> None:
        """Set the rules of kinds."""
        for given in rules:
            if not isinstance(given, SessionRules):
                raise InvalidInput(f"must be SessionRules, not {type(given).__name__}", field="rules")
        self._rules |= {given.kind: given for given in rules}

    def rules(self, kind: str) -> SessionRules:
        """Give a kind's rules, or the defaults."""
        return self._rules.get(kind) or SessionRules(kind)

    def listen(self, listener: Listener) -> None:
        """Let somebody hear of events."""
        if inspect.iscoroutinefunction(listener) or not callable(listener):
            raise InvalidInput("must be a plain function: it may put the event into a queue", field="listener")
        self._listeners += (listener,)

    def tell(self, events: Sequence[SessionEvent]) -> None:
        """Tell each listener of each event. What is told of has happened, so a listener's error changes nothing."""
        for event in events:
            for listener in self._listeners:
                try:
                    listener(event)
                except Exception:
                    logger.exception("a listener failed on the event %r of session %s", event.type, event.session_id)
