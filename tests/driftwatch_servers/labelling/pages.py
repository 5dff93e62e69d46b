"""What somebody does at the labelling page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .day import Site
from .visitor import Visitor

MANY = (
    *(f"kind {place:03d}" for place in range(96)),
    "a long name that no button can show, seen from the left",
    "a long name that no button can show, seen from the right",
    "قطة",
    "Café",
)
Open = Callable[..., Visitor]


def choose(visitor: Visitor, answer: str, classes: Sequence[str] = ("cat", "dog")) -> None:
    visitor.type(str(1 + (*classes, "unclear").index(answer)))


def at_failed(at: Open, site: Site) -> Visitor:
    """A visitor whose first image fails."""
    lost, site.lost = site.lost, {}
    ana = at(site)
    site.lost = lost
    ana.page.reload()
    ana.until("document.activeElement.closest('#pools')")
    ana.page.keyboard.press("Enter")
    ana.shown("failed")
    return ana
