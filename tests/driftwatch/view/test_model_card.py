"""The card under headings, each entry on one line."""

from __future__ import annotations

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.models import ModelCard
from driftwatch.view.model_card import card_groups


def told(**changes: object) -> dict[str, dict[str, str]]:
    return {group.heading: dict(group.facts) for group in card_groups(typed(ModelCard, samples.CARD, **changes))}


def test_every_entry_stands_under_a_heading_and_those_with_places_of_their_own_do_not() -> None:
    found = told()
    assert list(found) == ["The version", "Training data", "Training", "Input and output", "Software"]
    assert found["The version"]["sha256"] == samples.CARD["sha256"]
    assert found["Training"]["name"] == samples.CARD["recipe"]["name"]
    assert found["Training data"]["images"] == str(samples.CARD["data"]["images"])
    assert sum(map(len, found.values())) < 50
    names = {name for group in found.values() for name in group}
    assert not names & {"gate", "metrics", "history", "version", "created by", "parent"}


def test_what_belongs_together_is_one_line_and_what_is_empty_is_left_out() -> None:
    by_class = {"cat": {"human": 630, "original": 520}, "dog": {"human": 666, "original": 480}}
    found = told(data={**samples.CARD["data"], "by_class": by_class, "damage": None, "left_out": {}})
    assert found["Training data"]["by class"] == "cat human 630, original 520; dog human 666, original 480"
    assert not {"damage", "left out"} & set(found["Training data"])


@pytest.mark.parametrize("n", [3, 15, 16, 40])
def test_classes_keep_their_order_and_many_are_counted(n: int) -> None:
    classes = [f"c{place}" for place in range(n)][::-1]
    data = {**samples.CARD["data"], "class_balance": {name: 1 / n for name in sorted(classes)}}
    said = told(classes=classes, data=data)["Training data"]["class balance"]
    if n > 15:
        assert said == f"{n} classes: `driftwatch models FILE show` lists them"
    else:
        assert [part.split()[0] for part in said.split("; ")] == classes
