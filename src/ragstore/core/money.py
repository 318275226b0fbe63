"""Amounts as whole numbers of billionths, whatever decimal context the host has set."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
_BILLION = Decimal(10**9)


def to_billionths(amount: Decimal) -> int:
    """Count the billionths of an amount, rounded half to even."""
    return int(_EXACT.multiply(amount, _BILLION).to_integral_value(context=_EXACT))


def from_billionths(count: int) -> Decimal:
    """Give the amount."""
    return _EXACT.divide(Decimal(count), _BILLION)


def rounded(amount: Decimal) -> Decimal:
    """Round an amount to what is stored of it, and write it as it is read."""
    return from_billionths(to_billionths(amount))
