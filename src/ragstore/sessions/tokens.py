"""The text that a browser keeps, and how one secret follows from another.

A token is `rs1.<tenant>.<session>.<generation>.<secret>`, its parts in unpadded URL-safe base64 but for the number. The
next secret is an HMAC of the one before, so nothing of it needs to be stored: whoever presents an older one can be
given its successor, and nobody else can.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from ragstore.core.base import TENANT_LENGTH

SECRET_BYTES = 32
MAX_STEPS = 1_000
"""A secret that is more rotations old than this is a wrong one."""

_TOKEN = re.compile(
    r"rs1\.([A-Za-z0-9_-]{2,86})\.([A-Za-z0-9_-]{22})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says; whether it is true is another matter."""

    tenant: str
    session_id: UUID
    generation: int
    secret: bytes = field(repr=False)

    def __str__(self) -> str:
        """Write the text that is handed out."""
        parts = (_encode(self.tenant.encode()), _encode(self.session_id.bytes), self.generation, _encode(self.secret))
        return "rs1.{}.{}.{}.{}".format(*parts)

    @property
    def digest(self) -> bytes:
        """Give what is stored of the secret."""
        return sha256(self.secret).digest()

    def at(self, generation: int, nonce: bytes) -> Token | None:
        """Give the token of the same session after more rotations; None: of none that this one could lead to."""
        if not 0 <= generation - self.generation <= MAX_STEPS:
            return None
        secret = self.secret
        for number in range(self.generation + 1, generation + 1):
            secret = hmac.digest(secret, nonce + number.to_bytes(8, "big"), "sha256")
        return Token(self.tenant, self.session_id, generation, secret)


def new_token(tenant: str, session_id: UUID) -> Token:
    """Make a session's first token."""
    return Token(tenant, session_id, 0, secrets.token_bytes(SECRET_BYTES))


def new_nonce() -> bytes:
    """Make what goes into every derivation of one session."""
    return secrets.token_bytes(SECRET_BYTES)


def read_token(text: object) -> Token | None:
    """Read a token; None for whatever else is given, which includes other spellings of the same bytes."""
    found = _TOKEN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        tenant = _decode(found[1]).decode()
        token = Token(tenant, UUID(bytes=_decode(found[2])), int(found[3]), _decode(found[4]))
    except ValueError:
        return None
    storable = "\0" not in tenant and len(tenant.encode()) <= TENANT_LENGTH
    return token if storable and str(token) == text else None


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
