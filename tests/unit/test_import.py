"""What `import ragstore` does not do."""

import subprocess
import sys

PROGRAM = """
import logging, sys, os
before = (logging.root.handlers[:], logging.root.level, dict(logging.root.manager.loggerDict))
opened = []
sys.addaudithook(lambda name, args: opened.append((name, args)) if name in WATCHED else None)
import ragstore
assert (logging.root.handlers, logging.root.level) == (before[0], before[1]), "logging was set up"
for name, logger in logging.root.manager.loggerDict.items():
    if name.startswith("ragstore") and isinstance(logger, logging.Logger):
        assert not logger.handlers and logger.level == logging.NOTSET and not logger.disabled, name
late = {"alembic", "numpy", "psycopg", "aiosqlite", "Stemmer", "typer", "rich", "pytest", "hypothesis"}
late |= {"flask", "werkzeug", "fastapi", "starlette"}
heavy = late & set(sys.modules)
assert not heavy, f"loaded at import: {heavy}"
written = [args for name, args in opened if name != "open" or (isinstance(args[1], str) and set(args[1]) & set("wax+"))]
assert not written, written
"""


def test_importing_connects_to_nothing_writes_nothing_and_loads_little() -> None:
    watched = "WATCHED = {'open', 'socket.connect', 'sqlite3.connect', 'subprocess.Popen', 'os.mkdir'}\n"
    done = subprocess.run([sys.executable, "-B", "-c", watched + PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names_are_sorted_and_there() -> None:
    import ragstore

    assert ragstore.__all__ == sorted(ragstore.__all__)
    assert all(hasattr(ragstore, name) for name in ragstore.__all__)
