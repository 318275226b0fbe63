"""A store's settings: frozen, checked when made."""

from __future__ import annotations

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
    """

    tenant: str | None = "default"
    schema: str = "ragstore"
    invalid_text: Literal["reject", "replace"] = "reject"
    pool_size: int = 5
    max_overflow: int = 10
    pool_timeout: float = 10.0
    pool_recycle: float = 1800.0
    ping_after: float = 30.0
    connect_timeout: float = 10.0
    statement_timeout: float | None = None
    lock_timeout: float | None = None
    prepared_statements: bool = False
    busy_timeout: float = 5.0
    sqlite_synchronous: Literal["full", "normal"] = "full"

    def __post_init__(self) -> None:
        """Refuse settings that could only fail later."""
        _check_name(self.schema, "schema", 63)
        if self.tenant is not None:
            _check_name(self.tenant, "tenant", 64)
        for field in ("pool_timeout", "pool_recycle", "connect_timeout", "busy_timeout", *_OPTIONAL_TIMES):
            seconds = getattr(self, field)
            if seconds is not None and seconds <= 0:
                raise InvalidInput("must be more than 0 seconds", field=field)
        if self.ping_after < 0:
            raise InvalidInput("must not be negative", field="ping_after")
        if self.pool_size < 1 or self.max_overflow < 0:
            raise InvalidInput("must be at least 1, and max_overflow at least 0", field="pool_size")
        for field, allowed in _CHOICES.items():
            if getattr(self, field) not in allowed:
                raise InvalidInput(f"must be one of {allowed}", field=field)


def _check_name(value: str, field: str, max_bytes: int) -> None:
    if value != value.strip() or not 0 < len(value.encode()) <= max_bytes or "\0" in value:
        raise InvalidInput(f"must be 1 to {max_bytes} bytes without outer white space or NUL", field=field)
