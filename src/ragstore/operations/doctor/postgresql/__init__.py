"""What can go wrong on PostgreSQL."""

from __future__ import annotations

from ragstore.operations.doctor.looking import Check
from ragstore.operations.doctor.postgresql import (
    extension,
    indexes,
    pooling,
    rights,
    server,
    sessions,
    settings,
    upkeep,
)
from ragstore.operations.doctor.postgresql.server import reach

__all__ = ["CHECKS", "reach"]

CHECKS: tuple[Check, ...] = (
    *server.CHECKS,
    *extension.CHECKS,
    *rights.CHECKS,
    *settings.CHECKS,
    *pooling.CHECKS,
    *sessions.CHECKS,
    *upkeep.CHECKS,
    *indexes.CHECKS,
)
