"""The keys by which people answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

UNCLEAR_KEY = "x"
_DIGITS = "0123456789"


def hotkeys(classes: Sequence[str], unclear_answer: str | None, codes: bool = True) -> Mapping[str, str]:
    """Each choice's key, by choice. What has no key is found by its name.

    A class whose name is a digit has that digit. As long as there are digits from 1 to 9 for all the others, they have them in their
    order. Otherwise the unclear answer has the letter x, and, where digits still do not suffice, the others have codes of two digits
    (or more), which begin with no class's own digit: so no key is the beginning of another. Without `codes`, the first of them have a digit.
    """
    own = {name: name for name in classes if len(name) == 1 and name in _DIGITS}
    others = [name for name in classes if name not in own]
    unclear = [] if unclear_answer is None else [unclear_answer]
    single = [digit for digit in _DIGITS[1:] if digit not in own]
    if len(others) + len(unclear) <= len(single):
        return own | dict(zip(others + unclear, single, strict=False))
    keys = own | dict.fromkeys(unclear, UNCLEAR_KEY)
    if len(others) <= len(single) or not codes:
        return keys | dict(zip(others, single, strict=False))
    return keys | dict(zip(others, _codes(len(others), set(_DIGITS) - own.keys()), strict=False))


def _codes(count: int, first: set[str]) -> list[str]:
    """At least `count` codes of one length whose first digits are among `first`: 01, 02, …, 99, 00. None if there is no first digit."""
    width = 2
    while first and len(first) * 10 ** (width - 1) < count:
        width += 1
    numbers = [*range(1, 10**width), 0]
    return [code for code in (f"{number:0{width}d}" for number in numbers) if code[0] in first]
