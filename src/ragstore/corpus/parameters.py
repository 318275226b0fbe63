"""Bound parameters that many statements share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam

from ragstore.core.types import Id

TENANT: Any = bindparam("tenant")
IDS = bindparam("ids", expanding=True, type_=Id())
