"""`ragstore adopt`: take over what an application of one's own has stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ragstore.cli.options import AsJson, Schema, Url, print_json, tell
from ragstore.config import Settings
from ragstore.core.base import SCHEMA
from ragstore.core.vectors import Metric
from ragstore.errors import InvalidInput
from ragstore.operations.adoption import (
    AdoptedTable,
    AdoptionProgress,
    AdoptionReport,
    Mapping,
    Refusal,
    RowsRefused,
)
from ragstore.operations.adoption import adopt as run
from ragstore.store._sync import Store

SHOWN = 20


def adopt(  # noqa: PLR0913 - each option by its name
    source: Annotated[str, typer.Argument(metavar="SOURCE_URL", help="The old database.")],
    url: Url,
    *,
    collection: Annotated[str, typer.Option(help="Where the chunks go; made if it is missing.")] = "adopted",
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NAME=OLD",
            help="conversation.question=user_query for a column, conversation=chat_log for a table; nothing behind = "
            "leaves it out.",
            show_default=False,
        ),
    ] = None,
    source_schema: Annotated[str | None, typer.Option(help="PostgreSQL schema of the old tables.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose it is to be.")] = "default",
    timezone: Annotated[str, typer.Option(help="Of times that do not say theirs, e.g. Europe/Berlin.")] = "UTC",
    model: Annotated[str | None, typer.Option(help="The model that made the old vectors; else they are left.")] = None,
    dimensions: Annotated[int | None, typer.Option(min=1, help="Components of these vectors.")] = None,
    metric: Annotated[Literal["cosine", "l2", "inner_product"], typer.Option(help="How they are compared.")] = "cosine",
    language: Annotated[str | None, typer.Option(help="Of the chunks, e.g. de.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Rows read or written at a time.")] = 500,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be done.")] = False,
    on_bad: Annotated[
        Literal["refuse", "skip"], typer.Option(help="What to do if rows cannot be taken over.")
    ] = "refuse",
    schema: Schema = SCHEMA,
    as_json: AsJson = False,
) -> None:
    """Take over conversations and document chunks from an application's own tables, which are only read.

    A run that was cut off is started again; one more adds nothing. Exit code 1 if rows cannot be taken over.
    """
    mapping, zone = _mapping(mapped or (), source_schema), _zone(timezone)
    with Store.open(url, Settings(schema=schema, tenant=tenant)) as store:
        report = _run(
            store,
            source,
            collection=collection,
            mapping=mapping,
            timezone=zone,
            model=model,
            dimensions=dimensions,
            metric=metric,
            language=language,
            batch=batch,
            dry_run=dry_run,
            on_bad=on_bad,
        )
    _print_report(report, as_json=as_json)
    raise typer.Exit(1 if report.refused else 0)


def _run(store: Store, source: str, *, metric: Metric, **options: Any) -> AdoptionReport:
    try:
        return run(store, source, metric=metric, progress=_teller(), **options)
    except RowsRefused as error:
        tell("nothing was written: mend the rows, or leave them out with --on-bad skip")
        return error.report


def _mapping(pairs: Iterable[str], source_schema: str | None) -> Mapping:
    columns: dict[str, dict[str, str | None]] = {"conversation": {}, "document_chunk": {}, "tables": {}}
    for pair in pairs:
        named, equals, old = pair.partition("=")
        kind, dot, field = named.partition(".")
        if not equals or (dot and kind not in ("conversation", "document_chunk")):
            example = "--map conversation.question=user_query or --map conversation=chat_log"
            raise InvalidInput(f"{pair!r} is no mapping: write it as  {example}", field="--map")
        columns[kind if dot else "tables"][field if dot else kind] = old or None
    return Mapping(
        conversation=columns["conversation"],
        document_chunk=columns["document_chunk"],
        tables=columns["tables"],
        source_schema=source_schema,
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"there is no time zone {name!r}", field="--timezone") from None


def _teller() -> Callable[[AdoptionProgress], None]:
    """Make what tells of a stage, a line for each tenth of it."""
    last: tuple[str, str, int] | None = None

    def say(now: AdoptionProgress) -> None:
        nonlocal last
        share = 10 * now.done // now.total if now.total else 10
        if (now.stage, now.table, share) != last:
            tell(f"{now.stage} {now.table}: {now.done:,} of {now.total:,}")
        last = (now.stage, now.table, share)

    return say


def _print_report(report: AdoptionReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    for table in (report.conversation, report.document_chunk):
        if table is not None:
            print(_line_of(table, report))
    print(
        f"{'there would be' if report.dry_run else 'there are now'} {report.threads:,} threads, {report.messages:,} "
        f"messages, {report.documents:,} documents and {report.chunks:,} chunks of them in the store"
    )
    if report.rate_limits is not None:
        print(f"rate limits: {report.rate_limits:,} rows, which are left where they are")
    for row in report.refused[:SHOWN]:
        print(_line_of_row(row))
    if len(report.refused) > SHOWN:
        print(f"and {len(report.refused) - SHOWN:,} more rows that cannot be taken over: --json lists all")


def _line_of(table: AdoptedTable, report: AdoptionReport) -> str:
    kept = f", {table.kept:,} of documents that others put" if table.kept else ""
    left = f"; columns left: {', '.join(table.unmapped)}" if table.unmapped else ""
    done = "to add" if report.dry_run else "added"
    return (
        f"{table.name}: {table.rows:,} rows, {table.added:,} {done}, {table.present:,} there already{kept}, "
        f"{table.refused:,} refused{left}"
    )


def _line_of_row(row: Refusal) -> str:
    return f"refused: {row.table} {row.id}: {row.reason}"
