"""Calling the command line in this process, with both streams apart; click's own runner mixes them before 8.2."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import typer


@dataclass(frozen=True)
class Called:
    """How a call ended."""

    exit_code: int
    stdout: str
    stderr: str


def call(app: typer.Typer, arguments: Sequence[str]) -> Called:
    """Call it as the script does; errors of ragstore's come through."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            app(list(arguments), prog_name="ragstore")
        except SystemExit as end:
            return Called(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a command ends its process")
