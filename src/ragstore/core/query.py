"""A statement with the maker of its records."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Executable, Table

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


Selected = Any
"""A `Select`: its type parameters differ between SQLAlchemy 2.0 and 2.1, and `Query` carries the records' type."""


@dataclass(frozen=True, slots=True)
class Query(Generic[R_co]):
    """A reading statement, its parameters, and what makes a record of a row.

    Attributes:
        statement: Kept at module level where it can be: building one costs 100-300 µs.
        make: Maps a row by position.
        parameters: Values of the statement's bound parameters.
    """

    statement: Executable
    make: Callable[[Sequence[Any]], R_co]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A writing statement.

    Attributes:
        statement: What to run.
        parameters: None, one parameter set, or a list of sets to run it for each; an empty list runs nothing.
    """

    statement: Executable
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """New rows for a table, in bulk: copied where the database can, inserted where not.

    Attributes:
        table: Where they go.
        columns: Keys of the columns that are given; the others take the server's default.
        rows: The values in that order, as an insert takes them. Read once, while they are sent: what makes them
            works at the same time as the server.
        count: How many rows there are; with none, nothing is run.
    """

    table: Table
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Any]]
    count: int


Step = Query[Any] | Write | Copy
Steps = Generator[Step, Any, T]
"""Work of several statements: it yields each, is sent its answer, and returns the result.

A query's answer is the list of its records, that of a write or a copy the number of rows. The two faces and the two
databases share the steps: a face runs them, a backend says which.
"""


def only(query: Query[T]) -> Steps[list[T]]:
    """Make steps of one query."""
    records: list[T] = yield query
    return records
