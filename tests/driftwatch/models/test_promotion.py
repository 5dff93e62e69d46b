"""The champion moves by one decision at a time: of two at once one succeeds, the other is told, and the history loses nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.models import registry
from driftwatch.models.rollback import rollback
from driftwatch.outside import watching
from driftwatch.storage import Storage, open_storage

LAYOUT = MonitorKeys("stripes")
LOCK = f"{LAYOUT.champion}.lock"


@pytest.fixture(params=["file", "s3"])
def storage(request, tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}") if request.param == "file" else request.getfixturevalue("s3_storage")


def registered(storage: Storage, count: int) -> list[str]:
    found = []
    for number in range(count):
        found.append(registry.version_for(monitor_store(storage, LAYOUT), b"%d" % number))
        registry.register(monitor_store(storage, LAYOUT), found[-1], b"%d" % number, model_card())
    return found


def promote(storage: Storage, version: str, expected: str | None, by: str = "somebody") -> str:
    return registry.promote(monitor_store(storage, LAYOUT), version, by, expected).version


def outcomes(*work: Callable[[], str]) -> list[str | type[Exception]]:
    """What each gave or raised, all begun at the same moment."""
    together = threading.Barrier(len(work))

    def run(one: Callable[[], str]) -> str | type[Exception]:
        together.wait(30)
        try:
            return one()
        except registry.ChampionMoved as error:
            return type(error)

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_of_two_promotions_at_once_one_succeeds_in_each_of_many_rounds(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    versions = registered(storage, 3)
    expected = [promote(storage, versions[0], None)]
    for _ in range(60):
        now = expected[-1]
        first, second = (version for version in versions if version != now)
        found = outcomes(*(partial(promote, storage, version, now) for version in (first, second)))
        assert found in ([first, registry.ChampionMoved], [registry.ChampionMoved, second])
        expected += [version for version in found if isinstance(version, str)]
        pointer = registry.champion(monitor_store(storage, LAYOUT))
        assert (pointer.previous, pointer.version) == (now, expected[-1])
    assert pointer.history == tuple(expected)


def test_two_first_champions_at_once_make_one(storage):
    first, second = registered(storage, 2)
    found = outcomes(lambda: promote(storage, first, None), lambda: promote(storage, second, None))
    assert found.count(registry.ChampionMoved) == 1
    assert registry.champion(monitor_store(storage, LAYOUT)).history == tuple(
        version for version in found if isinstance(version, str)
    )


def test_a_promotion_that_was_frozen_before_its_write_replaces_no_later_champion(s3_storage):
    first, slow, fast = registered(s3_storage, 3)
    promote(s3_storage, first, None)
    waiting = [True]

    def overtake(when: str, touched: str) -> None:
        if (when, touched) == ("before", f"storage replace {LAYOUT.champion}") and waiting:
            waiting.clear()
            s3_storage.write_bytes(LOCK, b"free after a takeover")  # from the frozen one
            promote(s3_storage, fast, first)

    moved = rf"the champion is {fast}, not {first} as when it was decided that {slow}"
    with watching(overtake), pytest.raises(registry.ChampionMoved, match=moved):
        promote(s3_storage, slow, first)
    assert registry.champion(monitor_store(s3_storage, LAYOUT)).history == (first, fast)
    assert promote(s3_storage, slow, fast) == slow


def test_of_a_rollback_and_a_promotion_at_once_one_succeeds(storage):
    first, second, third = registered(storage, 3)
    promote(storage, first, None)
    promote(storage, second, first)
    found = outcomes(
        lambda: promote(storage, third, second), lambda: rollback(monitor_store(storage, LAYOUT), None, "me").version
    )
    # The rollback may begin after the promotion: then it goes back from that one.
    assert found in ([third, registry.ChampionMoved], [registry.ChampionMoved, first], [third, second])
    history = registry.champion(monitor_store(storage, LAYOUT)).history
    assert history == (first, second, *(version for version in found if isinstance(version, str)))
    assert rollback(monitor_store(storage, LAYOUT), second, "me again").version == second


def test_no_model_is_pruned_while_it_becomes_the_champion(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    champion, old, _ = registered(storage, 3)
    promote(storage, champion, None)
    errors: list[BaseException] = []

    def promotes() -> None:
        try:
            promote(storage, old, champion)
        except registry.UnknownVersion as error:
            errors.append(error)

    promoting = threading.Thread(target=promotes)

    def meanwhile(when: str, touched: str) -> None:
        if (when, touched) == ("before", f"storage delete {LAYOUT.model(old)}"):
            promoting.start()
            promoting.join(0.1)

    with watching(meanwhile):
        assert registry.prune(monitor_store(storage, LAYOUT), keep=1) == [old]
    promoting.join(30)
    assert "is gone" in str(errors[0])
    assert registry.champion_version(monitor_store(storage, LAYOUT)) == champion
