"""A store's settings: frozen, checked when made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ragstore.errors import InvalidInput

_OPTIONAL_TIMES = ("statement_timeout", "lock_timeout")
_CHOICES = {"invalid_text": ("reject", "replace"), "sqlite_synchronous": ("full", "normal")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a store connects and what it assumes. Times are seconds.

    Attributes:
        tenant: The tenant of every call that names none. None: there is no default, and a repository used without
            a tenant raises `TenantRequired`.
        schema: PostgreSQL schema of our tables. SQLite has none and ignores it.
        invalid_text: What happens to NUL and lone surrogates in texts: "reject" them, or "replace" them by U+FFFD.
        pool_size: Connections kept open.
        max_overflow: Connections opened beyond those under load, and closed when they come back.
        side_pool_size: Connections at most, beside those, for what is independent of the caller's transactions: rate
            limits and sessions. Opened when they are needed.
        pool_timeout: How long a call waits for a connection before `PoolTimeout`.
        pool_recycle: Age at which a connection is replaced.
        ping_after: Idle time after which a connection is checked before it is handed out.
        connect_timeout: How long making a connection may take.
        statement_timeout: How long a statement inside a transaction may run; None: as the server says.
        lock_timeout: How long a statement inside a transaction may wait for a lock; None: as the server says.
        prepared_statements: Prepare statements that are run often. Off, because behind a transaction-mode pooler
            older than PgBouncer 1.21 a prepared statement can return another client's rows.
        busy_timeout: How long SQLite waits for another writer.
        sqlite_synchronous: "full" makes each commit survive a power cut; "normal" makes commits faster, and a power
            cut may then forget the last ones (never damage the file).
        message_language: The language in which messages are analysed for search, as a tag: "en", "de". Those of before
            a change are analysed anew by `store.maintenance().index_messages()`.
        index_above: Vectors above which `documents.load` builds a space's approximate index by itself; None: never.
        max_indexes: Approximate indexes at most, in the whole database: each is looked at by every query's planner.
        vector_cache: Bytes of vectors that a store on SQLite keeps in memory; 0: none.
    """

    tenant: str | None = "default"
    schema: str = "ragstore"
    invalid_text: Literal["reject", "replace"] = "reject"
    pool_size: int = 5
    max_overflow: int = 10
    side_pool_size: int = 8
    pool_timeout: float = 10.0
    pool_recycle: float = 1800.0
    ping_after: float = 30.0
    connect_timeout: float = 10.0
    statement_timeout: float | None = None
    lock_timeout: float | None = None
    prepared_statements: bool = False
    busy_timeout: float = 5.0
    sqlite_synchronous: Literal["full", "normal"] = "full"
    message_language: str = "en"
    index_above: int | None = 25_000
    max_indexes: int = 64
    vector_cache: int = 256 * 2**20

    def __post_init__(self) -> None:
        """Refuse settings that could only fail later."""
        check_schema(self.schema)
        if self.tenant is not None:
            _check_name(self.tenant, "tenant", 64)
        for field in ("pool_timeout", "pool_recycle", "connect_timeout", "busy_timeout", *_OPTIONAL_TIMES):
            self._refuse(field, lambda seconds: seconds <= 0, "must be more than 0 seconds")
        for field in ("ping_after", "max_overflow", "index_above", "max_indexes", "vector_cache"):
            self._refuse(field, lambda number: number < 0, "must not be negative")
        for field in ("pool_size", "side_pool_size"):
            self._refuse(field, lambda number: number < 1, "must be at least 1")
        for field, allowed in _CHOICES.items():
            if getattr(self, field) not in allowed:
                raise InvalidInput(f"must be one of {allowed}", field=field)

    def _refuse(self, field: str, is_wrong: Callable[[float], bool], message: str) -> None:
        value = getattr(self, field)
        if value is not None and is_wrong(value):
            raise InvalidInput(message, field=field)


def check_schema(name: str) -> None:
    """Refuse what cannot be the name of a PostgreSQL schema."""
    _check_name(name, "schema", 63)


def _check_name(value: str, field: str, max_bytes: int) -> None:
    try:
        size = len(str.encode(value))
    except (TypeError, UnicodeEncodeError):  # no text, or half a surrogate pair
        size = 0
    if not 0 < size <= max_bytes or value != value.strip() or "\0" in value:
        raise InvalidInput(f"must be text of 1 to {max_bytes} bytes without outer white space or NUL", field=field)
