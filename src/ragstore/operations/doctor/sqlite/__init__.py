"""What can go wrong on SQLite."""

from __future__ import annotations

from ragstore.operations.doctor.looking import Check
from ragstore.operations.doctor.sqlite import content, file, library, options
from ragstore.operations.doctor.sqlite.file import reach

__all__ = ["CHECKS", "reach"]

CHECKS: tuple[Check, ...] = (*library.CHECKS, *file.CHECKS, *content.CHECKS, *options.CHECKS)
