"""Keys: who is limited, in 16 bytes."""

from __future__ import annotations

import hashlib
from typing import Final
from unicodedata import normalize
from uuid import UUID

from ragstore.errors import InvalidInput
from ragstore.rate_limits.records import Key, KeyPart

DIGEST_BYTES: Final = 16
MAX_FOLDED: Final = 1_000


def key_digest(key: Key) -> bytes:
    """Give the 16 bytes under which a key is stored, whatever its length.

    Different keys have different digests: each component counts with its type and its length, so ("a/b", "c") is not
    ("a", "b/c"), and 1 is not "1". A component alone is the same as a tuple of it. Text is taken code point by code
    point, NUL and lone surrogates too; `folded` is for what is the same in other letters.

    Args:
        key: A component, or a tuple of one or more: text, whole numbers, UUIDs, bytes.

    Returns:
        The first half of a SHA-256 digest.

    Raises:
        InvalidInput: A component is empty or of another type, or there is none; `field` is "key", and `index` the
            component's place.
    """
    parts = key if isinstance(key, tuple) else (key,)
    if not parts:
        raise InvalidInput("has no component: say who is limited", field="key")
    digest = hashlib.sha256()
    for index, part in enumerate(parts):
        kind, content = _encoded(part, index)
        # Without the length, the end of one component could be read as the beginning of the next.
        digest.update(kind + len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.digest()[:DIGEST_BYTES]


def _encoded(part: KeyPart, index: int) -> tuple[bytes, bytes]:
    match part:
        case str():
            kind, content = b"s", part.encode("utf-8", "surrogatepass")
        case bytes():
            kind, content = b"b", part
        case UUID():
            kind, content = b"u", part.bytes
        case int() if not isinstance(part, bool):
            kind, content = b"i", part.to_bytes(part.bit_length() // 8 + 1, "big", signed=True)
        case _:
            raise InvalidInput(f"must be str, int, UUID or bytes, not {type(part).__name__}", field="key", index=index)
    if not content:
        raise InvalidInput("is empty: everybody without a value would share it", field="key", index=index)
    return kind, content


def folded(text: str) -> str:
    """Give one spelling for texts that people take for the same: user names, e-mail addresses.

    Case and width do not count, nor composed against decomposed accents, nor space at either end. Letters that only
    look alike stay different, and so do "a.b@c" and "a.b+x@c".

    Args:
        text: At most 1,000 characters.

    Returns:
        The text in Unicode's form NFKC, case-folded.

    Raises:
        InvalidInput: It is empty but for space, or too long; `field` is "text".

    Example:
        >>> folded(" Ada@Example.ORG ")
        'ada@example.org'
    """
    # Normalising takes time by the square of a run of accents, and this may come from anybody.
    if len(text) > MAX_FOLDED:
        raise InvalidInput(f"is longer than {MAX_FOLDED:,} characters", field="text")
    one = normalize("NFKC", normalize("NFKC", text).casefold()).strip()
    if not one:
        raise InvalidInput("is empty: everybody without a value would share a limit", field="text")
    return one
