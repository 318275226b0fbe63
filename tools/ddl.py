"""Print the DDL of the declared tables for both databases, as revision scripts hold it.

    python tools/ddl.py                     all of it
    python tools/ddl.py postgresql rag_chunk rag_term    one database, some tables: what a new revision needs
    python tools/ddl.py --freeze            write src/ragstore/migrations/versions/rs_0001.py anew

`--freeze` is for the time before the first release. After it, rs_0001 never changes: write rs_0002 by hand with what
this tool prints, add it to `migrations/chain.py`, and let `tests/migrations` compare the chain with the declaration.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/ragstore/migrations/versions/rs_0001.py"
DIALECTS: dict[str, Dialect] = {
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(),
}
EXTENSION_TYPE = re.compile(r"^(\s+\w+) (vector|halfvec|sparsevec)\b", re.MULTILINE)

SCRIPT = '''\
# ruff: noqa: E501
"""Everything that the first release stores.

Written by tools/ddl.py; frozen from the first release on.
"""

from __future__ import annotations

from alembic.operations import Operations

from ragstore.migrations import frozen

revision = "rs_0001"
down_revision = None
schema_number = 1
min_code = 1
rebuilds_tables = False

CREATED = {{
{created}}}
"""The tables this revision makes, parents first: what a downgrade drops."""

STATEMENTS = {{
{statements}}}


def upgrade(op: Operations) -> None:
    """Make every table."""
    frozen.run(op, STATEMENTS)


def downgrade(op: Operations) -> None:
    """Drop every table, with all rows."""
    frozen.drop_tables(op, CREATED)
'''


def statements(database: str, tables: Iterable[Table]) -> Iterator[str]:
    """Give each statement for these tables and, if they are all of them, what a declaration cannot say."""
    for table in tables:
        yield _text(CreateTable(table), database)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield _text(CreateIndex(index), database)


def settings(database: str) -> tuple[str, ...]:
    """Give the statements that a declaration cannot say."""
    storage: tuple[str, ...] = import_module(f"ragstore.backends.{database}.ddl").STORAGE
    return storage


def _text(element: CreateTable | CreateIndex, database: str) -> str:
    text = str(element.compile(dialect=DIALECTS[database])).replace("\t", "    ").strip()
    text = text.replace("ragstore.", "{schema}." if database == "postgresql" else "")
    text = "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
    text = text.replace("\n)\n ", "\n) ").replace(",\n STRICT", ", STRICT")
    return EXTENSION_TYPE.sub(r"\1 {vector}.\2", text) if database == "postgresql" else text


def freeze(tables: dict[str, list[Table]]) -> str:
    """Make the text of the first revision."""
    created = "".join(
        f'    "{database}": (\n' + "".join(f'        "{table.name}",\n' for table in made) + "    ),\n"
        for database, made in tables.items()
    )
    listed = "".join(
        f'    "{database}": (\n'
        + "".join(_literal(text) for text in (*statements(database, made), *settings(database)))
        + "    ),\n"
        for database, made in tables.items()
    )
    return SCRIPT.format(created=created, statements=listed)


def _literal(text: str) -> str:
    if "\\" in text or '"""' in text:
        raise SystemExit(f"write this one by hand: {text}")
    quote = '"""' if "\n" in text or '"' in text else '"'
    return f"        {quote}{text}{quote},\n"


def main(arguments: list[str]) -> None:
    """Print, or write the first revision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", choices=[*DIALECTS])
    parser.add_argument("table", nargs="*")
    parser.add_argument("--freeze", action="store_true", help=f"write {TARGET.name}")
    chosen = parser.parse_args(arguments)
    declared = import_module("ragstore.schema")
    tables: dict[str, list[Table]] = {name: declared.tables_for(name) for name in DIALECTS}
    if chosen.freeze:
        TARGET.write_text(freeze(tables), encoding="utf-8")
        return
    for database in [chosen.database] if chosen.database else [*DIALECTS]:
        picked = [table for table in tables[database] if not chosen.table or table.name in chosen.table]
        print(f"-- {database}", *statements(database, picked), sep="\n\n")
        print(*([] if chosen.table else settings(database)), sep="\n", end="\n\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    main(sys.argv[1:])
