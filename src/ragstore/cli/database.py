"""`ragstore db`: look after a database's schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from ragstore import migrations
from ragstore.cli.options import AsJson, Schema, Url, print_json, tell
from ragstore.core.base import SCHEMA
from ragstore.migrations import IndexProgress, State, UpgradeResult, faces
from ragstore.migrations.job import Job

database = typer.Typer(help="Look after a database's schema.", no_args_is_help=True)

USABLE = (State.CURRENT, State.AHEAD_COMPATIBLE)

Wait = Annotated[float, typer.Option(min=0, help="Seconds to go on trying while others migrate or hold locks.")]
BuildTime = Annotated[float, typer.Option(min=1, help="Seconds that all builds together may take.")]
Revision = Annotated[str, typer.Argument(metavar="REVISION", help="A revision as `history` lists it.")]


@database.command()
def upgrade(
    url: Url,
    *,
    to: Annotated[str, typer.Option(help='A revision, "head", or "+1".')] = "head",
    schema: Schema = SCHEMA,
    create_schema: Annotated[bool, typer.Option(help="Create the schema if it is missing.")] = True,
    timeout: Wait = 60.0,
    as_json: AsJson = False,
) -> None:
    """Bring the schema up to date; at head this changes nothing."""
    # not migrations.upgrade: RAGSTORE_UPGRADE is for applications, and tells their operator to call this command
    result = faces.migrate(url, Job(revision=to, schema=schema, create_schema=create_schema, timeout=timeout))
    _print_result(result, "upgraded", as_json=as_json)


@database.command(context_settings={"ignore_unknown_options": True})  # -1 is a revision, not an option
def downgrade(
    url: Url,
    revision: Annotated[str, typer.Argument(metavar="REVISION", help='A revision, "-1", or "base".')],
    *,
    schema: Schema = SCHEMA,
    allow_data_loss: Annotated[bool, typer.Option("--allow-data-loss", help="Confirm that the rows may go.")] = False,
    timeout: Wait = 60.0,
    as_json: AsJson = False,
) -> None:
    """Take revisions back, with what they made; without --allow-data-loss it says what would be lost."""
    result = migrations.downgrade(url, revision, schema=schema, timeout=timeout, allow_data_loss=allow_data_loss)
    _print_result(result, "downgraded", as_json=as_json)


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
def current(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Print the database's revision; exit code 1 if it has none."""
    revision = migrations.current(url, schema=schema)
    if as_json:
        print_json({"revision": revision})
    elif revision:
        print(revision)
    raise typer.Exit(0 if revision else 1)


@database.command()
def history(*, as_json: AsJson = False) -> None:
    """List the revisions that this code knows, oldest first. No database is asked."""
    found = migrations.history()
    if as_json:
        print_json({"revisions": [asdict(revision) for revision in found]})
    else:
        print("\n".join(f"{revision.id}  {revision.summary}" for revision in found))


@database.command()
def check(url: Url, *, schema: Schema = SCHEMA, as_json: AsJson = False) -> None:
    """Compare the database's catalogue with what this code declares; exit code 1 if they differ."""
    found = migrations.check(url, schema=schema)
    if as_json:
        print_json({"differences": [asdict(difference) for difference in found]})
    else:
        print("\n".join(map(str, found)) or "no differences")
    raise typer.Exit(1 if found else 0)


@database.command()
def sql(
    kind: Annotated[Literal["postgresql", "sqlite"], typer.Argument(metavar="postgresql|sqlite")],
    *,
    start: Annotated[str, typer.Option("--from", help='Where the database is: a revision, or "base".')] = "base",
    to: Annotated[str, typer.Option(help="Where it is to be; one before --from takes revisions back.")] = "head",
    schema: Schema = SCHEMA,
    vector_schema: Annotated[str, typer.Option(help="PostgreSQL schema of the extension vector.")] = "public",
    transaction: Annotated[bool, typer.Option(help="Begin and commit in the script.")] = True,
) -> None:
    """Print the statements of an upgrade, for an administrator to run. No database is asked."""
    options = {"start": start, "schema": schema, "vector_schema": vector_schema}
    print(migrations.sql(kind, to, transaction=transaction, **options))


@database.command()
def stamp(
    url: Url, revision: Revision, *, schema: Schema = SCHEMA, timeout: Wait = 60.0, as_json: AsJson = False
) -> None:
    """Write down which revision the database has, where that record was lost. No table is changed."""
    result = migrations.stamp(url, revision, schema=schema, timeout=timeout)
    _print_result(result, "stamped", as_json=as_json)


@database.command()
def ensure_indexes(url: Url, *, schema: Schema = SCHEMA, timeout: BuildTime = 3600.0, as_json: AsJson = False) -> None:
    """Build indexes that are missing, invalid or of another kind, while others read and write."""
    reports = migrations.ensure_indexes(url, schema=schema, timeout=timeout, progress=_teller())
    if as_json:
        print_json({"indexes": [asdict(report) for report in reports]})
    else:
        print("\n".join(f"{report.action} {report.index}" for report in reports) or "all indexes are as they should be")


def _print_result(result: UpgradeResult, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(result))
        return
    if result.from_revision == result.to_revision:
        print(f"up to date at {result.to_revision or 'nothing'}")
    else:
        print(f"{done} from {result.from_revision or 'nothing'} to {result.to_revision or 'nothing'}")
    if result.deferred:
        tell(f"left to `ragstore db ensure-indexes`: {', '.join(result.deferred)}")


def _teller() -> Callable[[IndexProgress], None]:
    """Make what tells of a build, a line whenever it has come to another percent or phase."""
    last = ""

    def say(now: IndexProgress) -> None:
        nonlocal last
        share = f" {100 * now.done // now.total} %" if now.total else ""
        wait = f" (waiting for process {now.blocker})" if now.blocker else ""
        line = f"{now.index}: {now.phase}{share}{wait}"
        if line != last:
            tell(line)
        last = line

    return say
