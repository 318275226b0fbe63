"""`ragstore doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ragstore.cli.options import AsJson, Schema, Url, print_json
from ragstore.core.base import SCHEMA

if TYPE_CHECKING:
    from ragstore.operations.doctor import Diagnosis, Level

_HEADINGS: tuple[tuple[Level, str], ...] = (("error", "Errors"), ("warning", "Warnings"), ("hint", "Hints"))


def doctor(
    url: Url,
    *,
    schema: Schema = SCHEMA,
    deep: Annotated[bool, typer.Option("--deep", help="SQLite: read every page and index of the file.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for what is wrong with the database or could go wrong, and say what to do; nothing is changed.

    Exit code 1 if there is an error.
    """
    from ragstore.operations.doctor import diagnose  # brings a driver, which other commands may not need

    found = diagnose(url, schema=schema, deep=deep)
    if as_json:
        print_json({**asdict(found), "healthy": found.healthy})
    else:
        _print(found)
    failed = not found.healthy or (strict and bool(found.at("warning")))
    raise typer.Exit(1 if failed else 0)


def _print(found: Diagnosis) -> None:
    print(f"{found.database} {found.version or ''}: {len(found.checks)} checks, schema {found.revision or 'not there'}")
    for level, heading in _HEADINGS:
        findings = found.at(level)
        if findings:
            print(f"\n{heading}")
        for finding in findings:
            print(f"- {finding.subject}: {finding.what}\n  -> {finding.remedy}")
    if not found.findings:
        print("no findings")
