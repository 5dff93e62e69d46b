"""How numbers are written for people: shares, intervals and p-values."""

from __future__ import annotations

from driftwatch.artifacts.parts import Interval

# A weighted mean of ones may miss 1 by its last bits.
_BITS = 1e-9


def percent(value: float) -> str:
    """`0.6137` as `61.4 %`, `0.7` as `70 %`. What is neither none nor all is not called so: `< 0.1 %`, `> 99.9 %`."""
    return beyond(value, " ") or f"{100 * value:.1f}".removesuffix(".0") + " %"


def beyond(share: float, space: str) -> str:
    """`< 0.1 %` or `> 99.9 %` for a share that would be rounded to none or to all; empty for others."""
    if _BITS < share < 0.0005:
        return f"<{space}0.1{space}%"
    return f">{space}99.9{space}%" if 0.9995 <= share < 1 - _BITS else ""


def interval(found: Interval) -> str:
    """The ends of a share's interval in whole percent: `[53, 69]`; empty where it is undefined."""
    if found.numbers is None:
        return ""
    _, low, high = found.numbers
    return f"[{100 * low:.0f}, {100 * high:.0f}]"


def points(found: Interval) -> str:
    """A difference of two shares: `-7.4 points [-15, +1]`; empty where it is undefined."""
    if found.numbers is None:
        return ""
    value, low, high = (100 * number for number in found.numbers)
    return f"{value:+.1f} points [{low:+.0f}, {high:+.0f}]"


def p_text(p_value: float) -> str:
    """`p = 0.02` or `p < 0.0001`: two digits, never zero."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def digits(value: float) -> str:
    """Three digits that count, as a person reads a feature's value: `132`, `0.28`, `-3.11`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
