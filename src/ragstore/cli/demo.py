"""`ragstore demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
