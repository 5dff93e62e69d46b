"""What `storage.keep` removes, in words."""

from __future__ import annotations

from driftwatch.retention.plan import KINDS, KeepPlan
from driftwatch.view.words import count

_NAMES = {
    "inputs": "model inputs",
    "shown": "copies shown to annotators",
    "answers": "annotators' own answers",
    "profiles": "profiles",
    "reports": "reports",
    "leftovers": "leftovers of killed tasks",
}


def kept_lines(plan: KeepPlan) -> list[str]:
    """A line for each kind that is over, then one for each day and kind that stays though it is over."""
    lines = []
    for kind in KINDS:
        found = plan.of(kind)
        if found:
            days = sorted({removal.day for removal in found})
            size = sum(removal.bytes for removal in found)
            range_ = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
            lines.append(
                f"{_NAMES[kind]}: {count(len(found), 'file')} of {count(len(days), 'day')} ({range_}), {in_bytes(size)}"
            )
    lines += [
        f"stay: {_NAMES[still.kind]} of {still.day}, {in_bytes(still.bytes)}: {still.why}" for still in plan.still
    ]
    return lines


def in_bytes(size: int) -> str:
    """`512 bytes`, `1.5 MB`."""
    for unit, worth in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= worth:
            return f"{size / worth:.1f} {unit}"
    return count(size, "byte")
