"""The base of every record: frozen, and refused with our own error when wrong."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import core_schema

from ragstore.core.json import Json
from ragstore.errors import InvalidInput


class Unchecked:
    """Annotation: the repository checks this value when it is bound, not the record."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> core_schema.CoreSchema:
        """Let any value through."""
        return core_schema.any_schema()


JsonObject = Annotated[Mapping[str, Json], Unchecked]
"""A JSON object; the repository checks it when it is bound."""


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
"""Not given; None is a value."""


class Record(BaseModel):
    """What a repository gives: immutable, compared by value."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)


class Input(BaseModel):
    """What a host hands in: immutable, unknown fields refused, no guessing between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)

    def __init__(self, /, **values: Any) -> None:
        """Check the values.

        Raises:
            InvalidInput: A value is missing, unknown or of another type.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(first["msg"], field=path or type(self).__name__) from None
