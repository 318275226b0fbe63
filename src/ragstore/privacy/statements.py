"""The statements of erasing, made from the inventory and the tables' own keys; none is run here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Executable, Table, and_, bindparam, delete, func, select, tuple_

from ragstore.core.base import SCHEMA
from ragstore.core.query import Query, Selected, Write
from ragstore.privacy.inventory import INVENTORY
from ragstore.schema import metadata

Whole = Literal["user", "tenant"]

_TENANT: Any = bindparam("tenant")
_USER: Any = bindparam("user")
_ROWS: Any = bindparam("rows")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows: a user's, or all of the tenant's if there is none."""

    tenant: str
    user: str | None = None

    @property
    def whole(self) -> Whole:
        """Say what is erased."""
        return "tenant" if self.user is None else "user"

    @property
    def parameters(self) -> Mapping[str, str]:
        """Give the values of the statements' parameters."""
        return {"tenant": self.tenant} if self.user is None else {"tenant": self.tenant, "user": self.user}


def action(name: str, whole: Whole) -> str:
    """Give what the inventory says of a table."""
    return INVENTORY[name].of_tenant if whole == "tenant" else INVENTORY[name].of_user


def table(name: str) -> Table:
    """Give a table by its name."""
    return metadata.tables[f"{SCHEMA}.{name}"]


def above(name: str) -> Iterator[str]:
    """Name the tables whose rows a table's rows hang on, from the nearest on."""
    follows = INVENTORY[name].follows
    while follows is not None:
        yield follows
        follows = INVENTORY[follows].follows


def _chosen(name: str, whole: Whole) -> ColumnElement[bool]:
    found, user = table(name), INVENTORY[name].user
    of_tenant: ColumnElement[bool] = found.c.tenant_id == _TENANT
    if whole == "tenant":
        return of_tenant
    assert user is not None, f"all of the tenant's {name} would be taken for the user's"
    return and_(of_tenant, found.c[user] == _USER)


def _hanging_on(name: str, root: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Make the condition of rows that hang, over however many tables, on the rows of one."""
    if name == root:
        return condition
    parent = INVENTORY[name].follows
    assert parent is not None, f"{name} does not hang on {root}"
    constraint = next(key for key in table(name).foreign_key_constraints if key.referred_table.name == parent)
    referred = [element.column for element in constraint.elements]
    rows = select(*referred).where(_hanging_on(parent, root, condition))
    columns = list(constraint.columns)
    return columns[0].in_(rows) if len(columns) == 1 else tuple_(*columns).in_(rows)


# ------------------------------------------------------------------------------------------------------ erasing


def _key(name: str) -> ColumnElement[Any]:
    return tuple_(*table(name).primary_key.columns)


def _is_among(name: str) -> ColumnElement[bool]:
    key = _key(name)
    return key.in_(bindparam("keys", expanding=True, type_=key.type))


@cache
def _keys(name: str, whole: Whole, skip_locked: bool) -> Selected:
    columns = list(table(name).primary_key.columns)
    statement = select(*columns).where(_chosen(name, whole)).order_by(*columns).limit(_ROWS)
    return statement.with_for_update(skip_locked=skip_locked)


def lock(name: str, scope: Scope, rows: int, *, skip_locked: bool) -> Query[tuple[Any, ...]]:
    """Lock rows of a table that are to go and give their keys; skip those that others hold, or wait for them."""
    statement = _keys(name, scope.whole, skip_locked)
    return Query(statement, tuple, {**scope.parameters, "rows": rows})


@cache
def _count_hanging(name: str, root: str) -> Selected:
    return select(func.count()).select_from(table(name)).where(_hanging_on(name, root, _is_among(root)))


def count_hanging(name: str, root: str, keys: Sequence[tuple[Any, ...]]) -> Query[int]:
    """Count the rows of a table that go with rows of another."""
    return Query(_count_hanging(name, root), lambda row: int(row[0]), {"keys": list(keys)})


@cache
def _delete(name: str) -> Executable:
    return delete(table(name)).where(_is_among(name))


def delete_rows(name: str, keys: Sequence[tuple[Any, ...]]) -> Write:
    """Delete rows by their keys, with all that hangs on them."""
    return Write(_delete(name), {"keys": list(keys)})


# ----------------------------------------------------------------------------------------------------- counting


def _ways(name: str, whole: Whole) -> Iterator[ColumnElement[bool]]:
    """Give the conditions by which rows of a table go: their own columns, and what they hang on."""
    direct = action(name, whole) == "delete" or (whole == "tenant" and "tenant_id" in table(name).c)
    if direct:
        yield _chosen(name, whole)
    if whole == "user" or not direct:
        for root in above(name):
            if action(root, whole) == "delete":
                yield _hanging_on(name, root, _chosen(root, whole))


@cache
def _count(name: str, whole: Whole) -> Selected:
    ways = list(_ways(name, whole))
    if len(ways) == 1:
        return select(_counted(name, ways[0]))
    # Counted apart, as no index serves "this or that"; what goes both ways was counted twice.
    one, other = ways
    return select(_counted(name, one) + _counted(name, other) - _counted(name, and_(one, other)))


def _counted(name: str, condition: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(table(name)).where(condition).scalar_subquery()


def count(name: str, scope: Scope) -> Query[int]:
    """Count the rows of a table that are to go."""
    return Query(_count(name, scope.whole), lambda row: int(row[0]), scope.parameters)
