"""How long a trigger pauses while what it waits for cannot be asked."""

from __future__ import annotations

LONGEST_PAUSE = 600.0


def pause(poll_seconds: float, failures: int) -> float:
    """Seconds to the next look: `poll_seconds`, doubled with each failure in a row up to LONGEST_PAUSE, or to `poll_seconds`."""
    return min(poll_seconds * 2 ** min(failures, 16), max(poll_seconds, LONGEST_PAUSE))
