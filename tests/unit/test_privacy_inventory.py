"""The inventory of what tells of people says something of every table, and of every column that might (C-13)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import LargeBinary, String, Table

from ragstore.core.types import Json
from ragstore.privacy.inventory import INVENTORY, Entry
from ragstore.privacy.statements import above, action, table
from ragstore.schema import metadata

NAMES = (
    "user",
    "organisation",
    "account",
    "person",
    "email",
    "mail",
    "name",
    "phone",
    "ip",
    "address",
    "agent",
    "label",
)
NAMES += (
    "title",
    "comment",
    "content",
    "thread_id",
    "client_id",
    "owner",
    "author",
    "secret",
    "token",
    "metadata",
    "data",
)
TABLES = list(metadata.sorted_tables)

# What tells of nobody although its name or its type might: set by the library, or from lists of its own.
IMPERSONAL = {
    "collection",
    "doc_type",
    "embedding_id",
    "content_hash",
    "data_version",
    "index_method",
    "index_options",
    "index_state",
    "kind",
    "language",
    "languages",
    "metric",
    "model",
    "policy",
    "quantization",
    "resolved_model",
    "revoked_because",
    "role",
    "rule",
    "state",
    "status",
    "storage",
    "tenant_id",
    "version",
    "writer",
}


def hints(found: Table) -> Iterator[str]:
    """Name the columns that may tell of a person: by their names, or because they hold text or bytes."""
    for column in found.c:
        words = column.name.split("_")
        named = any(hint in words or hint == column.name for hint in NAMES)
        if named or isinstance(column.type, String | LargeBinary | Json):
            yield column.name


def entries() -> Iterator[tuple[str, Entry]]:
    yield from INVENTORY.items()


def test_every_table_has_an_entry_and_every_entry_a_table() -> None:
    assert set(INVENTORY) == {found.name for found in TABLES}


@pytest.mark.parametrize("found", TABLES, ids=lambda found: found.name)
def test_every_column_that_may_tell_of_a_person_is_named(found: Table) -> None:
    missing = set(hints(found)) - set(INVENTORY[found.name].columns) - IMPERSONAL
    assert not missing, f"say in the inventory what {found.name} holds in {sorted(missing)}"


def test_every_named_column_is_there() -> None:
    for name, entry in entries():
        there = {column.name for column in table(name).c}
        assert set(entry.columns) <= there, name
        assert entry.user is None or entry.user in there, name
    everywhere = {column.name for found in TABLES for column in found.c}
    assert everywhere >= IMPERSONAL


def test_a_column_of_the_user_chooses_what_is_erased() -> None:
    """A table with a user in it is not kept, unless it says why."""
    for name, entry in entries():
        if "user_id" in table(name).c:
            assert (entry.user, entry.of_user) == ("user_id", "delete"), name


def test_only_rows_with_a_user_are_chosen_for_one() -> None:
    """Without a column for it, a user's erasure would take the whole tenant's rows."""
    for name, entry in entries():
        assert (entry.user is not None) == (entry.of_user == "delete"), name


def test_what_follows_hangs_on_what_goes() -> None:
    """A row that is said to go with another has a foreign key to it that deletes it."""
    for name, entry in entries():
        parents = {key.referred_table.name for key in table(name).foreign_key_constraints if key.ondelete == "CASCADE"}
        assert entry.follows is None or entry.follows in parents, name
        for whole in ("user", "tenant"):
            if action(name, whole) == "follow":
                assert any(action(one, whole) == "delete" for one in above(name)), (name, whole)


def test_what_is_kept_says_why_and_hangs_on_nothing_that_goes() -> None:
    for name, entry in entries():
        if "keep" in (entry.of_user, entry.of_tenant):
            assert entry.why, name
        for whole in ("user", "tenant"):
            if action(name, whole) == "keep":
                assert all(action(one, whole) == "keep" for one in above(name)), (name, whole)


def test_all_of_a_tenant_goes() -> None:
    kept = {name for name, entry in entries() if entry.of_tenant == "keep"}
    assert not any("tenant_id" in table(name).c for name in kept)
