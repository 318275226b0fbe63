"""The base of every record: frozen, and refused with our own error when wrong."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final, TypeVar

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


R = TypeVar("R", bound=Record)
_set = object.__setattr__  # records are frozen


def trusted(kind: type[R], values: dict[str, Any]) -> R:
    """Make a record of values that the database has checked already: all its fields, of the types they shall have.

    Checking them again would take three times as long, and pydantic's own `model_construct` is slower still.
    """
    record = kind.__new__(kind)
    _set(record, "__dict__", values)
    _set(record, "__pydantic_fields_set__", set(values))
    _set(record, "__pydantic_extra__", None)
    _set(record, "__pydantic_private__", None)
    return record


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
