"""Names and values inside statements that are written as text, where they cannot be bound."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Quote an identifier for either database."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Quote a text for either database."""
    return "'" + value.replace("'", "''") + "'"


def for_text(statement: str) -> str:
    """Give a statement without parameters, or a part of one, as SQLAlchemy's `text` takes it: `:x` would be one."""
    return statement.replace(":", "\\:")
