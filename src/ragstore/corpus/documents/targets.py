"""What a put writes to: a collection, and those of its spaces that get vectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ragstore.core.query import Steps
from ragstore.corpus import statements
from ragstore.corpus.records import Collection, EmbeddingSpace
from ragstore.errors import InvalidInput

Dedupe = Literal["document", "collection"]
SpaceKey = str | EmbeddingSpace | None
"""A model's name or a space; None: the active space, whatever its model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Where a put writes to.

    Attributes:
        collection: As it is in this transaction.
        asked: What the host gave a model for.
        dedupe: Within what a text is kept once.
        retired: Models whose spaces get no vectors any more: what is for them is passed over.
    """

    tenant: str
    collection: Collection
    asked: tuple[SpaceKey, ...]
    dedupe: Dedupe
    retired: frozenset[str] = frozenset()

    @property
    def spaces(self) -> tuple[EmbeddingSpace, ...]:
        """List the spaces that get vectors."""
        found = (self.collection.space, self.collection.building)
        return tuple(space for space in found if space is not None)

    @property
    def embedding(self) -> dict[SpaceKey, EmbeddingSpace]:
        """Give the spaces for which there is a model."""
        found = {key: _find(self.collection, key) for key in self.asked}
        return {key: space for key, space in found.items() if space is not None}

    def space_for(self, key: SpaceKey, *, field: str = "embeddings", index: int | None = None) -> EmbeddingSpace | None:
        """Find the space that a vector or a model is for; None: it is a retired one's.

        Raises:
            InvalidInput: There is none.
        """
        space = _find(self.collection, key)
        model = key.model if isinstance(key, EmbeddingSpace) else key
        if space is not None or model in self.retired:
            return space
        if model is None:
            advice = "ensure it with model= and dimensions="
            raise InvalidInput(f"the collection has no embedding space: {advice}", field="embedding", index=index)
        models = ", ".join(repr(space.model) for space in self.spaces) or "none"
        raise InvalidInput(f"the collection has no space of the model {model!r}: {models}", field=field, index=index)


def find_targets(
    tenant: str, collection: Collection, asked: Iterable[SpaceKey], dedupe: Dedupe, models: Iterable[str | None]
) -> Steps[Targets]:
    """Say where a put writes to.

    Args:
        tenant: Whose collection it is.
        collection: The collection.
        asked: What the host gave a model for.
        dedupe: Within what a text is kept once.
        models: Those that vectors came for; None is the active space's.

    Raises:
        InvalidInput: There has never been a space for any of the models of `asked`.
    """
    targets = Targets(tenant=tenant, collection=collection, asked=tuple(asked), dedupe=dedupe)
    if any(key is not None and _find(collection, key) is None for key in (*targets.asked, *models)):
        # a writer may still hold the old model when the new space is activated
        known: list[EmbeddingSpace] = yield statements.spaces_of(tenant, collection.id)
        retired = frozenset(space.model for space in known if space.state == "retired")
        targets = Targets(tenant=tenant, collection=collection, asked=tuple(asked), dedupe=dedupe, retired=retired)
    named = [key for key in targets.asked if key is not None]
    # of several models some may have no space: a host is deployed with the new one before its space is begun
    if not any(_find(collection, key) for key in named):
        for key in named:
            targets.space_for(key, field="embed")
    return targets


def _find(collection: Collection, key: SpaceKey) -> EmbeddingSpace | None:
    if key is None:
        return collection.space
    spaces = (space for space in (collection.space, collection.building) if space is not None)
    if isinstance(key, EmbeddingSpace):
        return next((space for space in spaces if space.id == key.id), None)
    return next((space for space in spaces if space.model == key), None)
