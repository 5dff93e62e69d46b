"""Numbers as the command line says them."""

from __future__ import annotations

from typing import Any


def accuracy(card: dict[str, Any]) -> str:
    """The holdout accuracy of a model's card."""
    return share(card["metrics"]["holdout"]["accuracy"])


def share(found: dict[str, Any]) -> str:
    """A share with its interval, or why there is none."""
    if found["value"] is None:
        return f"none ({found['reason']})"
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%}, n {found['n']})"
