"""Print the DDL of the declared tables for both databases, as revision scripts hold it.

    python tools/ddl.py                     all of it
    python tools/ddl.py postgresql rag_chunk rag_term    one database, some tables: what a new revision needs

A revision never changes. Write a new one by hand with what this tool prints, add it to `migrations/chain.py`, and let
`tests/migrations` compare the chain with the declaration.
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
DIALECTS: dict[str, Dialect] = {
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(),
}
EXTENSION_TYPE = re.compile(r"^(\s+\w+) (vector|halfvec|sparsevec)\b", re.MULTILINE)


def statements(database: str, tables: Iterable[Table]) -> Iterator[str]:
    """Give each statement for these tables."""
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


def main(arguments: list[str]) -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", choices=[*DIALECTS])
    parser.add_argument("table", nargs="*")
    chosen = parser.parse_args(arguments)
    declared = import_module("ragstore.schema")
    tables: dict[str, list[Table]] = {name: declared.tables_for(name) for name in DIALECTS}
    for database in [chosen.database] if chosen.database else [*DIALECTS]:
        picked = [table for table in tables[database] if not chosen.table or table.name in chosen.table]
        print(f"-- {database}", *statements(database, picked), sep="\n\n")
        print(*([] if chosen.table else settings(database)), sep="\n", end="\n\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))
    main(sys.argv[1:])
