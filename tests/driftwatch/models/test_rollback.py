"""The way back leads to former champions alone, and a repeated rollback goes back once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.as_trained import OtherModel
from driftwatch.models.rollback import rollback, rollback_target
from driftwatch.storage import open_storage


@pytest.fixture
def store(tmp_path: Path) -> MonitorStore:
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))


def registered(store: MonitorStore, content: bytes, **card: Any) -> str:
    version = registry.version_for(store, content)
    registry.register(store, version, content, model_card(**card))
    return version


def champions(store: MonitorStore, count: int) -> list[str]:
    """As many champions, each after the one before it."""
    found: list[str] = []
    for number in range(count):
        version = registered(store, b"%d" % number)
        registry.promote(store, version, f"run {number}", expected=found[-1] if found else None)
        found.append(version)
    return found


def test_the_champion_before_serves_again_and_says_who_asked(store: MonitorStore) -> None:
    first, second = champions(store, 2)
    pointer = rollback(store, None, "alice")
    assert (pointer.version, pointer.previous, pointer.promoted_by) == (first, second, "alice")
    assert pointer.history == (first, second, first)
    assert registry.champion(store) == pointer


def test_a_repeated_rollback_does_not_roll_forward_again(store: MonitorStore) -> None:
    first, second = champions(store, 2)
    once = rollback(store, None, "run r1")
    assert rollback(store, None, "run r1") == once
    assert rollback(store, second, "run r1") == once
    assert once.version == first
    assert rollback(store, None, "run r2").version == second


def test_any_former_champion_can_be_named(store: MonitorStore) -> None:
    first, _, _ = champions(store, 3)
    assert rollback(store, first, "alice").version == first


@pytest.mark.parametrize("count", [0, 1])
def test_without_an_earlier_champion_there_is_no_way_back(store: MonitorStore, count: int) -> None:
    champions(store, count)
    before = registry.champion(store)
    with pytest.raises(NeedsAttention, match="demo: there is no earlier champion to go back to"):
        rollback(store, None, "alice")
    assert registry.champion(store) == before


def test_a_challenger_that_was_never_champion_is_refused_with_those_that_were(store: MonitorStore) -> None:
    first, second = champions(store, 2)
    challenger = registered(store, b"challenger")
    rollback(store, None, "bob")  # the first stands in the history twice
    with pytest.raises(NeedsAttention, match=f"{challenger} was never champion.* these were: {first}, {second}$"):
        rollback(store, challenger, "alice")
    assert registry.champion_version(store) == first


def test_before_the_first_champion_a_registered_version_is_refused_too(store: MonitorStore) -> None:
    version = registered(store, b"one")
    with pytest.raises(NeedsAttention, match=f"{version} was never champion.* these were: none$"):
        rollback(store, version, "alice")


def test_an_unknown_version_is_told_with_the_known_ones(store: MonitorStore) -> None:
    first, second = champions(store, 2)
    with pytest.raises(registry.UnknownVersion, match=f"no version 'v0099-00000000'; there are: {first}, {second}"):
        rollback(store, "v0099-00000000", "alice")


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"classes": ["dog", "cat"]}, "the earlier champion .*classes in the monitor file are in another order"),
        ({"input_size": 64}, "its input has the size 64, and model.input.size is 96"),
    ],
)
def test_a_former_champion_that_the_monitor_file_no_longer_describes_is_refused(
    store: MonitorStore, card: dict[str, Any], said: str
) -> None:
    first, second = registered(store, b"one", **card), registered(store, b"two")
    registry.promote(store, first, "a", expected=None)
    registry.promote(store, second, "b", expected=first)
    with pytest.raises(OtherModel, match=said):
        rollback(store, None, "alice")
    assert registry.champion_version(store) == second


def test_a_pointer_without_history_still_knows_the_champion_before(store: MonitorStore) -> None:
    first, second = champions(store, 2)
    early = ChampionPointer(version=second, previous=first)
    assert rollback_target(store, early, None) == first
    assert rollback_target(store, early, second) == second
