"""The command line. What a command does is in the library; here are its options and what it prints."""

from __future__ import annotations

import typer

from ragstore.cli.adopting import adopt
from ragstore.cli.database import database
from ragstore.cli.demo import demo
from ragstore.cli.doctor import doctor

app = typer.Typer(
    help="The data layer of an application that answers questions over documents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(database, name="db")
for command in (doctor, adopt, demo):
    app.command()(command)
