"""Which conversations a statement is about: whose, in which thread, of which organisation and collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, bindparam

from ragstore.conversations.statements.base import CONVERSATIONS, TENANT
from ragstore.core.records import Unset

Scope = frozenset[tuple[str, bool]]
"""The columns of a conversation that are asked for, each with whether it must hold a value, or none."""


def scope_of(asked: Mapping[str, str | None]) -> Scope:
    """Give all of a scope that a statement's form depends on."""
    return frozenset((column, value is not None) for column, value in asked.items())


def is_in_scope(scope: Scope) -> list[ColumnElement[bool]]:
    """Choose a scope's conversations."""
    return [CONVERSATIONS.c.tenant_id == TENANT, *_each(sorted(scope))]


def _each(scope: Iterable[tuple[str, bool]]) -> Iterable[ColumnElement[bool]]:
    for column, has_value in scope:
        held = CONVERSATIONS.c[column]
        yield held == bindparam(f"scope_{column}") if has_value else held.is_(None)


def scope_values(tenant: str, asked: Mapping[str, str | None]) -> dict[str, Any]:
    """Give the parameters of `is_in_scope`."""
    given = {f"scope_{column}": value for column, value in asked.items() if value is not None}
    return {"tenant": tenant, **given}


def chosen(user: str | Unset | None, **columns: str | None) -> dict[str, str | None]:
    """Give a scope: of a user, of nobody for None, of everybody if unset; of other columns, those that are given."""
    given: dict[str, str | None] = {column: value for column, value in columns.items() if value is not None}
    return given if isinstance(user, Unset) else {**given, "user_id": user}
