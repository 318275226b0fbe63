"""What several commands share: options, and how a result is printed."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

Url = Annotated[
    str,
    typer.Option(envvar=["RAGSTORE_URL", "DATABASE_URL"], help="postgresql://host/name or sqlite:///file."),
]
Schema = Annotated[str, typer.Option(help="PostgreSQL schema of the tables; SQLite has none.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def print_json(value: Any) -> None:
    """Print one object on one line."""
    print(json.dumps(value, ensure_ascii=False, default=str))


def tell(line: str) -> None:
    """Say how far long work is: on the error stream, so that the output stays what a script reads."""
    print(line, file=sys.stderr, flush=True)
