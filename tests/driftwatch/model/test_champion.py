"""Training and importing the first champion."""

from __future__ import annotations

from driftwatch.model.registry import card, champion


def test_the_champion_learns_the_stripes_and_its_card_says_how(world) -> None:
    pointer = champion(world.storage, world.layout)
    found = card(world.storage, world.layout, pointer["version"])
    holdout = found["metrics"]["holdout"]
    print(holdout["accuracy"])
    assert holdout["accuracy"]["value"] > 0.9
