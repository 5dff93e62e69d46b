"""What the pages read is current, kept while it stays as it is, and a damaged object is a value beside the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import Storage, open_storage
from driftwatch.view.artifacts import Artifacts, reader


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo")))


def test_an_object_is_read_once_until_it_is_replaced(artifacts: Artifacts) -> None:
    reads = []

    def read(storage: Storage, key: str) -> object:
        reads.append(key)
        return storage.read_json(key)

    assert artifacts.get("a.json", read) is None
    artifacts.storage.write_json("a.json", {"n": 1})
    assert [artifacts.get("a.json", read) for _ in range(3)] == [{"n": 1}] * 3
    assert len(reads) == 1
    artifacts.storage.write_json("a.json", {"n": 2})
    assert artifacts.get("a.json", read) == {"n": 2}


def test_the_least_recently_used_is_forgotten_first(artifacts: Artifacts) -> None:
    small = Artifacts(artifacts.store, kept=2)
    for name in "abc":
        small.storage.write_json(f"{name}.json", samples.INGEST)
        small.find(f"{name}.json", Ingest)
    assert [name for name, _ in small._held] == ["b.json", "c.json"]


def test_one_object_is_kept_apart_for_each_way_of_reading_it(artifacts: Artifacts) -> None:
    artifacts.storage.write_json("a.json", samples.INGEST)

    def without_reasons(found: Ingest) -> Ingest:
        return found.model_copy(update={"reasons": {}})

    light = artifacts.get("a.json", reader(Ingest, without_reasons))
    whole = artifacts.find("a.json", Ingest)
    assert whole is not None
    assert light is not None
    assert whole.reasons == samples.INGEST["reasons"]
    assert light.reasons == {}


@pytest.mark.parametrize("remote", [False, True])
def test_what_cannot_be_read_stands_beside_what_can(
    artifacts: Artifacts, remote: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(artifacts.storage), "remote", remote)
    artifacts.storage.write_json("good.json", samples.INGEST)
    artifacts.storage.write_json("damaged.json", {**samples.INGEST, "accepted": "many"})
    names = ["good.json", "damaged.json", "none.json"]
    good, damaged, none = artifacts.look_at_each([(name, reader(Ingest)) for name in names])
    assert (good.value.accepted, good.problem) == (samples.INGEST["accepted"], None)
    assert damaged.value is None
    assert isinstance(damaged.problem, DamagedArtifact)
    assert "damaged.json" in str(damaged.problem)
    assert (none.value, none.problem) == (None, None)
