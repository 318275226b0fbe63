"""What to do next about one index, from what there is. No database here.

Every state that a killed run can leave is one of those that are looked at, so that the next run goes on from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ragstore.migrations.indexing import managed
from ragstore.migrations.sides import Catalogue

Action = Literal["built", "rebuilt", "replaced", "dropped"]
Found = Mapping[str, str]
"""A table's indexes: name → description."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an index is to be.

    Attributes:
        description: What the catalogue is to say of it; None: there is to be none of this name.
        definition: What follows the table's name in CREATE INDEX.
    """

    table: str
    name: str
    description: str | None
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Renames, all in one transaction, and then one statement outside of any.

    Attributes:
        renames: (from, to), in order.
        build: The name under which to build.
        drop: The name to drop.
        action: What this does to the index; None: a part of more, or cleaning up.
    """

    renames: tuple[tuple[str, str], ...] = ()
    build: str | None = None
    drop: str | None = None
    action: Action | None = None

    @property
    def given(self) -> list[str]:
        """List the names that indexes get by this."""
        return [*(new for _, new in self.renames), *([self.build] if self.build else [])]


def of_table(found: Catalogue, table: str) -> dict[str, str]:
    """Choose a table's indexes from a catalogue's."""
    return {name: what for (_, its_table, name), what in found.items() if its_table == table}


def next_step(wish: Wish, found: Found) -> Step | None:
    """Say what to do next; None: the index is what it should be. Asked while nobody can be building on the table."""
    old, new = managed.retired(wish.name), managed.building(wish.name)
    if managed.is_retired(wish.name):
        return Step(drop=wish.name, action="dropped") if wish.name in found else None
    if old in found:
        return Step(drop=old)
    here = found.get(wish.name)
    if here == wish.description:
        return _retire(new, old) if new in found else None
    if wish.description is None:
        return _retire(wish.name, old, "dropped")
    if here is not None and is_invalid(here):
        return _retire(wish.name, old, "rebuilt")
    if new in found and found[new] != wish.description:
        return _retire(new, old)
    return _put_in_place(wish, there=here is not None, ready=new in found)


def _put_in_place(wish: Wish, *, there: bool, ready: bool) -> Step:
    """Build, or let the index that is ready under another name take the place of the one that is there."""
    old, new = managed.retired(wish.name), managed.building(wish.name)
    if not ready:
        return Step(build=new) if there else Step(build=wish.name, action="built")
    if not there:
        return Step(((new, wish.name),), action="built")
    return Step(((wish.name, old), (new, wish.name)), drop=old, action="replaced")


def _retire(name: str, old: str, action: Action | None = None) -> Step:
    return Step(((name, old),), drop=old, action=action)


def is_invalid(description: str) -> bool:
    """Say whether a build has not completed the index."""
    return description.endswith(" INVALID")


def wrong(wish: Wish, found: Found) -> bool:
    """Say whether there is anything to do."""
    return next_step(wish, found) is not None
