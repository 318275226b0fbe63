"""Every error ragstore raises, in one tree.

    RagstoreError
    ├── UsageError                  the calling code is wrong; retrying cannot help
    │   ├── TenantRequired          no tenant is set, and the settings have no default
    │   └── MissingExtra            an optional dependency is not installed
    ├── InvalidInput                a value was refused; `field` and `index` say which
    │   └── DimensionMismatch       a vector of another length than its space; `expected`, `got`
    ├── NotFound                    what was named does not exist
    │   └── SessionEnded            the session was revoked, has expired, or never was
    ├── Conflict                    it exists already, or has changed since; `constraint`
    │   └── StaleHead               the conversation has moved on; `head` is where it is now
    ├── LimitExceeded               a limit of the database or of ours
    ├── PermissionDenied            the role may not do this
    ├── ReadOnlyError               a write on a standby or in a read-only transaction
    ├── ConcurrencyError            lost against another transaction; run the whole unit again
    ├── Timeout                     something took longer than it may
    │   ├── LockTimeout             another transaction held a lock for too long
    │   ├── QueryTimeout            the statement ran for too long, or was cancelled
    │   └── PoolTimeout             no connection became free
    ├── Unavailable                 the database cannot be reached
    │   ├── ConnectError            no connection could be made
    │   └── ConnectionLost          a connection broke while in use
    ├── StorageError                the disk is full, the file cannot be written
    │   ├── CorruptDatabase         the file is damaged or is no database
    │   └── CorruptRow              a row holds what nobody could have stored; `table`, `id`
    ├── MigrationError              the schema cannot be used or changed as asked
    │   ├── SchemaBehind            the database is older than this code; run `upgrade`
    │   ├── SchemaTooNew            the database is newer than this code can serve
    │   ├── SchemaDamaged           the version record and the tables disagree
    │   ├── ExtensionMissing        pgvector is not installed in the database
    │   └── UpgradeLockTimeout      another process has been migrating for too long
    └── DatabaseError               anything else the database refused; `sqlstate`

The message says what to do next; the facts are attributes. The driver's own error is the `__cause__`.
"""

from __future__ import annotations


class RagstoreError(Exception):
    """Base of every error this library raises.

    Attributes:
        retryable: Running the whole transaction again may succeed.
    """

    retryable: bool = False


class UsageError(RagstoreError):
    """The calling code is wrong; the message says what to change."""


class TenantRequired(UsageError):
    """A repository was used without a tenant, and the settings have no default one."""


class MissingExtra(UsageError, ImportError):
    """An optional dependency is not installed.

    Attributes:
        extra: The extra of ragstore that installs it.
    """

    def __init__(self, extra: str, what: str) -> None:
        super().__init__(f"{what} needs an optional dependency: run  pip install 'ragstore[{extra}]'")
        self.extra = extra


class InvalidInput(RagstoreError, ValueError):
    """A value was refused before anything was stored.

    Attributes:
        field: The field's name, dotted for nested ones.
        index: The item's position in its batch, counted from 0.
    """

    def __init__(self, message: str, *, field: str | None = None, index: int | None = None) -> None:
        where = "" if field is None else f"{field}: "
        item = "" if index is None else f"item {index}: "
        super().__init__(f"{item}{where}{message}")
        self.message = message
        self.field = field
        self.index = index


class DimensionMismatch(InvalidInput):
    """A vector does not have its space's number of dimensions.

    Attributes:
        expected: The space's dimensions.
        got: The vector's.
    """

    def __init__(self, expected: int, got: int, *, field: str | None = "embedding", index: int | None = None) -> None:
        message = f"the vector has {got} dimensions, its space has {expected}: use the model the space was made for"
        super().__init__(message, field=field, index=index)
        self.expected = expected
        self.got = got


class NotFound(RagstoreError, LookupError):
    """What was named does not exist for this tenant."""


class SessionEnded(NotFound):
    """The session was revoked or has expired, or there never was one: its user has to log in again."""


class Conflict(RagstoreError):
    """It exists already, is still referred to, or has changed.

    Attributes:
        constraint: The name of the constraint that refused it, if the database did.
    """

    def __init__(self, message: str, *, constraint: str | None = None) -> None:
        super().__init__(message)
        self.constraint = constraint


class StaleHead(Conflict):
    """Messages were appended since the caller looked.

    Attributes:
        head: The conversation's newest `seq`.
    """

    def __init__(self, expected: int, head: int) -> None:
        super().__init__(f"expected the conversation's head at {expected}, it is at {head}: read on from there")
        self.head = head


class LimitExceeded(RagstoreError):
    """A limit of the database or of this library."""


class PermissionDenied(RagstoreError):
    """The database role may not do this."""


class ReadOnlyError(RagstoreError):
    """A write was sent to a standby or inside a read-only transaction."""


class ConcurrencyError(RagstoreError):
    """Lost against another transaction: nothing was stored, and the whole unit may be run again."""

    retryable = True


class Timeout(RagstoreError, TimeoutError):
    """Something took longer than it may."""


class LockTimeout(Timeout):
    """Another transaction held a lock for longer than `lock_timeout`."""


class QueryTimeout(Timeout):
    """The statement ran for too long, or was cancelled."""


class PoolTimeout(Timeout):
    """No pooled connection became free in time."""


class Unavailable(RagstoreError, ConnectionError):
    """The database cannot be reached."""


class ConnectError(Unavailable):
    """No connection could be made: wrong address, refused, wrong password, or too many connections."""


class ConnectionLost(Unavailable):
    """A connection broke while in use. A unit whose commit had not begun was not stored."""

    retryable = True


class StorageError(RagstoreError):
    """The disk is full, or the database file cannot be opened or written."""


class CorruptDatabase(StorageError):
    """The file is damaged, or is not a database."""


class CorruptRow(StorageError):
    """A row holds what this library never stores there. The rows beside it can be read leniently.

    Attributes:
        table: Its table.
        id: Its id.
    """

    def __init__(self, table: str, id: object, what: str) -> None:  # noqa: A002 - as the column is called
        super().__init__(f"the row {id} of {table} is damaged: {what}; read with lenient=True to pass over what is")
        self.table = table
        self.id = id


class MigrationError(RagstoreError):
    """The schema cannot be used or changed as asked."""


class SchemaBehind(MigrationError):
    """The database's schema is older than this code: run `ragstore.upgrade`."""


class SchemaTooNew(MigrationError):
    """The database's schema is newer than this code can serve.

    Attributes:
        found: The database's revision or schema number.
        supported: The newest this code knows.
    """

    def __init__(self, message: str, *, found: str, supported: str) -> None:
        super().__init__(message)
        self.found = found
        self.supported = supported


class SchemaDamaged(MigrationError):
    """The version record and the tables disagree; nothing was changed."""


class ExtensionMissing(MigrationError):
    """pgvector is not installed in the database, and this role may not create it."""


class UpgradeLockTimeout(MigrationError, Timeout):
    """Another process held the migration lock past the deadline."""


class DatabaseError(RagstoreError):
    """Anything else the database refused.

    Attributes:
        sqlstate: PostgreSQL's five-character code, or SQLite's error name.
    """

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
