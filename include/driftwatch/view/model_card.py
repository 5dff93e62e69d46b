"""A model's card for people: its entries under headings, each on one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.models.metrics import in_order

if TYPE_CHECKING:
    from pydantic import JsonValue

    from driftwatch.artifacts.models import ModelCard

_MOST_CLASSES, _MOST_ENTRIES = 15, 8
# They are shown in places of their own.
_LEFT_OUT = {"gate", "metrics", "history", "version", "created_by", "parent"}
# Each heading with the card's entries that stand under it. An entry that no heading names stands under the last one.
_HEADINGS = {
    "Training data": ("data",),
    "Training": ("recipe", "seeds"),
    "Input and output": ("classes", "input", "input_size", "output", "output_name", "positive_class", "temperature"),
    "Software": ("packages", "parameters"),
    "The version": (),
}
# Entries whose parts are entries of their own.
_OPENED = ("data", "recipe", "input")


@dataclass(frozen=True)
class FactGroup:
    """Entries of the card under a heading: what it is, and its value in words."""

    heading: str
    facts: tuple[tuple[str, str], ...]


def card_groups(card: ModelCard) -> tuple[FactGroup, ...]:
    """The card without the gate, the metrics, the epochs, and what is empty. Classes keep their order; if there are many, they are counted."""
    found = card.model_dump(mode="json", exclude_unset=True, exclude=_LEFT_OUT)
    groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
    for name, value in found.items():
        heading = next((heading for heading, names in _HEADINGS.items() if name in names), list(_HEADINGS)[-1])
        parts = value if name in _OPENED and isinstance(value, dict) else {name: value}
        groups[heading] += [
            (_words(part), _text(inner, card.classes))
            for part, inner in parts.items()
            if inner not in (None, {}, [], "")
        ]
    order = [list(_HEADINGS)[-1], *list(_HEADINGS)[:-1]]
    return tuple(FactGroup(heading, tuple(groups[heading])) for heading in order if groups[heading])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: JsonValue, classes: Sequence[str], depth: int = 0) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case dict() if len(value) > _MOST_CLASSES and set(value) <= set(classes):
            return f"{len(value):,} classes: `driftwatch models FILE show` lists them"
        case dict():
            inner = [f"{_words(key)} {_text(value[key], classes, depth + 1)}" for key in in_order(value, classes)]
            return (", " if depth else "; ").join(inner)
        case list():
            return f"{len(value)} entries" if len(value) > _MOST_ENTRIES else ", ".join(map(str, value))
        case _:
            return str(value)
