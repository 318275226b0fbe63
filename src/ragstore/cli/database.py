"""`ragstore db`: look after a database's schema."""

from __future__ import annotations

from dataclasses import asdict

import typer

from ragstore import migrations
from ragstore.cli.options import AsJson, Schema, Url, print_json
from ragstore.core.base import SCHEMA
from ragstore.migrations import State

database = typer.Typer(help="Look after a database's schema.", no_args_is_help=True)

USABLE = (State.CURRENT, State.AHEAD_COMPATIBLE)


@database.command()
def upgrade(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Bring the schema up to date; at head this changes nothing."""
    result = migrations.upgrade(url, schema=schema)
    if as_json:
        print_json(asdict(result))
    elif result.applied:
        print(f"upgraded from {result.from_revision or 'nothing'} to {result.to_revision}")
    else:
        print(f"up to date at {result.to_revision}")


@database.command()
def status(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Say how the database stands to this code; exit code 1 if this code cannot run on it as it is."""
    found = migrations.status(url, schema=schema)
    if as_json:
        print_json(asdict(found))
    else:
        print(f"{found.state}: at {found.revision or 'no revision'}, this code's newest is {found.head}")
        if found.pending:
            print(f"pending: {', '.join(found.pending)}")
        if found.problem:
            print(found.problem)
    raise typer.Exit(0 if found.state in USABLE else 1)


@database.command()
def check(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Compare the database's catalogue with what this code declares; exit code 1 if they differ."""
    found = migrations.check(url, schema=schema)
    if as_json:
        print_json({"differences": [asdict(difference) for difference in found]})
    else:
        print("\n".join(map(str, found)) or "no differences")
    raise typer.Exit(1 if found else 0)
