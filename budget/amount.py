"""Amounts of an account in its unit: hours, or credits."""

from __future__ import annotations

from budget.accounts.limit import UNLIMITED_MS
from budget.duration import HOUR_MS, format_exact, format_hours


def format_amount(ms: int, unit: str, *, exact: bool = False) -> str:
    """ "1.50 h", "1.19 credits", "unlimited"; with `exact` to the millisecond.

    Rounds half away from zero.
    """
    if ms >= UNLIMITED_MS:
        return "unlimited"
    if unit != "credit":
        return format_exact(ms) if exact else format_hours(ms)
    if not exact:
        return f"{format_hours(ms).removesuffix(' h')} credits"
    whole, rest_ms = divmod(abs(ms), HOUR_MS)
    # 3,600,000 = 2^8 x 3^2 x 5^5: nine digits tell any two amounts apart.
    digits = f"{rest_ms * 10**9 // HOUR_MS:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if ms < 0 else ''}{whole}.{digits} credits"
