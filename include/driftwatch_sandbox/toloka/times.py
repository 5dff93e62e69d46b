"""Toloka's date format: UTC without a zone. Here it always has microseconds, so that texts sort like their times."""

from __future__ import annotations

import time
from datetime import datetime, timezone

_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"


def text(seconds: float) -> str:
    """Unix seconds as API text."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(_FORMAT)


def now_text() -> str:
    return text(time.time())


def seconds(value: str) -> float:
    """API text as Unix seconds. Text without a zone is UTC. Raises ValueError or TypeError for anything else."""
    moment = datetime.fromisoformat(value.replace("Z", "+00:00") if isinstance(value, str) else value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def normal(value: str) -> str:
    """A date in the spelling that is stored, from any that is accepted."""
    return text(seconds(value))
