"""How the application's own engine opens the file."""

from __future__ import annotations

from collections.abc import Iterator

from ragstore.operations.doctor.looking import Advice, Check, Look

BUSY_TIMEOUT = 5000
_ADVICE = "or let  ragstore.configure_engine(engine)  do it"


def _on_connect(pragma: str) -> str:
    return f"run  PRAGMA {pragma};  in a 'connect' event of the engine, {_ADVICE}"


def connection_options(look: Look) -> Iterator[Advice]:
    """The engine's connections enforce foreign keys, wait for a lock, and write safely."""
    if not look.hosts:
        return
    if not look.value("PRAGMA foreign_keys"):
        what = "they are off on the engine's connections: ragstore refuses to write there"
        yield Advice("error", "foreign_keys", what, _on_connect("foreign_keys = ON"))
    waits = look.value("PRAGMA busy_timeout")
    if waits < BUSY_TIMEOUT:
        what = f"{waits} ms: a writer gives up with LockTimeout as soon as another one takes longer"
        remedy = f'connect_args={{"timeout": {BUSY_TIMEOUT // 1000}}}, {_ADVICE}'
        yield Advice("warning", "busy_timeout", what, remedy)
    if look.value("PRAGMA synchronous") == 0:
        what = "it is OFF: a power cut may damage the file"
        yield Advice("error", "synchronous", what, _on_connect("synchronous = FULL"))
    if look.value("PRAGMA locking_mode") == "exclusive":
        what = "it is exclusive: the first connection that writes shuts all others out"
        yield Advice("warning", "locking_mode", what, _on_connect("locking_mode = NORMAL"))


CHECKS: tuple[Check, ...] = (connection_options,)
