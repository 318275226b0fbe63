"""The command line. What a command does is in the library; here are its options and what it prints."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ragstore import migrations
from ragstore.core.base import SCHEMA
from ragstore.migrations import State

app = typer.Typer(
    help="The data layer of an application that answers questions over documents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database = typer.Typer(help="Look after a database's schema.", no_args_is_help=True)
app.add_typer(database, name="db")

Url = Annotated[str, typer.Option(envvar="RAGSTORE_URL", help="postgresql://host/name or sqlite:///file.")]
Schema = Annotated[str, typer.Option(help="PostgreSQL schema of the tables; SQLite has none.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

USABLE = (State.CURRENT, State.AHEAD_COMPATIBLE)


@app.callback()
def _group() -> None:
    """Keep `demo` a command of its own name."""


@app.command()
def demo(
    questions: Annotated[list[str] | None, typer.Argument(metavar="[QUESTION]...", show_default=False)] = None,
    *,
    url: Annotated[str | None, typer.Option(help="A database to use instead of a SQLite file.")] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Use a PostgreSQL of the demonstration's own (extra `embedded`).")
    ] = False,
    file: Annotated[Path | None, typer.Option(help="The SQLite file, or with --embedded the server's folder.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages shown for each question.")] = 5,
    modules: Annotated[int | None, typer.Option(min=1, help="Index only the first so many modules.")] = None,
    embedder: Annotated[
        str | None, typer.Option(metavar="MODULE:CALLABLE", help="Turns a list of texts into a list of vectors.")
    ] = None,
) -> None:
    """Index the documentation of this Python's standard library and answer questions from it.

    Without questions it asks for them on a terminal, and answers three of its own elsewhere. The default database is
    the file ragstore-demo.db in the current directory. A second run finds everything unchanged.
    """
    from ragstore.demo.run import Options, run
    from ragstore.demo.target import opened

    with opened(url=url, embedded=embedded, path=file) as target:
        run(Options(tuple(questions or ()), target, limit=limit, modules=modules, embedder=embedder))


@database.command()
def upgrade(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Bring the schema up to date; at head this changes nothing."""
    result = migrations.upgrade(url, schema=schema)
    if as_json:
        _print_json(asdict(result))
    elif result.applied:
        print(f"upgraded from {result.from_revision or 'nothing'} to {result.to_revision}")
    else:
        print(f"up to date at {result.to_revision}")


@database.command()
def status(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Say how the database stands to this code; exit code 1 if this code cannot run on it as it is."""
    found = migrations.status(url, schema=schema)
    if as_json:
        _print_json(asdict(found))
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
        _print_json({"differences": [asdict(difference) for difference in found]})
    else:
        print("\n".join(map(str, found)) or "no differences")
    raise typer.Exit(1 if found else 0)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))
