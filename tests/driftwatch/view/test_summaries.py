"""A month's summary shows what the days' own files say, and is not believed where they are others by now."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.version_days import EIGHT, SEVEN
from tests.faulty_s3 import FaultyS3
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.summary import MonthSummary
from driftwatch.errors import MissingArtifact, StorageFailed
from driftwatch.retention.blank_tables import blank_json
from driftwatch.storage import Storage, open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_parts import FILES
from driftwatch.view.days import Day, read_days
from driftwatch.view.summaries import write_summaries

KEYS = MonitorKeys("demo")
DAYS = [date(2026, 1, 30) + timedelta(days=number) for number in range(4)]
LATE = {"number": 1, "images": 20, "share": 0.5, "surplus": ["f" * 64]}
SUPPLEMENT = {**samples.PLAN, "late": LATE, "sample_size": {"images": 3}}
ALL = {
    "ingest.json": samples.INGEST,
    "drift.json": samples.DAY_DRIFT,
    "performance.json": {**samples.PERFORMANCE, "serving_version": "7", "versions": [SEVEN, EIGHT]},
    "annotation.json": {**samples.PLAN, "supplements": [SUPPLEMENT]},
    "estimate.json": samples.ESTIMATE,
    "content_drift.json": samples.CONTENT_DRIFT,
    "episodes.json": samples.EPISODES,
    "annotation_progress.json": samples.PROGRESS,
}


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def put(storage: Storage, day: date, **changed: Any) -> None:
    """All files of a day; `changed`: fields of its performance.json."""
    for name, found in ALL.items():
        more = changed if name == "performance.json" else {}
        storage.write_json(KEYS.day(day).file(name), {**found, **({"day": str(day)} if "day" in found else {}), **more})


def fresh(storage: Storage) -> Artifacts:
    """As after the start of the api-server."""
    return Artifacts(monitor_store(storage, KEYS))


@contextmanager
def reading(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files that are read meanwhile."""
    read, real = list[str](), type(storage).read_bytes
    with monkeypatch.context() as patch:
        patch.setattr(type(storage), "read_bytes", lambda self, key: (read.append(key), real(self, key))[1])
        yield read


def test_a_summary_gives_what_the_days_own_files_give_and_is_all_that_is_read(
    storage: Storage, monkeypatch: Any
) -> None:
    for day in DAYS:
        put(storage, day)
    directly = read_days(fresh(storage), depth="brief")
    assert write_summaries(fresh(storage).store, DAYS[-1]) == ["2026-01", "2026-02"]
    artifacts = fresh(storage)
    with reading(storage, monkeypatch) as read:
        assert read_days(artifacts, depth="brief") == directly
        assert read == [KEYS.summary("2026-01"), KEYS.summary("2026-02")]
        assert read_days(artifacts, depth="brief") == directly
        assert len(read) == 2


def test_brief_days_have_the_tones_words_and_verdicts_of_light_ones(storage: Storage) -> None:
    for number, day in enumerate(DAYS):
        put(storage, day, verdict=("ok", "alert")[number % 2])

    def shown(row: Day) -> tuple[Any, ...]:
        paid = [part.cost for part in row.annotation.parts] if row.annotation else []
        return (
            row.tone,
            row.said,
            row.standing,
            row.model_verdict,
            row.other_drift,
            row.version,
            row.serving,
            row.in_episode,
            paid,
        )

    assert list(map(shown, read_days(fresh(storage), depth="brief"))) == list(map(shown, read_days(fresh(storage))))


def test_a_summary_holds_no_image(storage: Storage) -> None:
    put(storage, DAYS[0])
    write_summaries(fresh(storage).store, DAYS[0])
    text = storage.read_bytes(KEYS.summary("2026-01")).decode()
    assert re.findall(r"[0-9a-f]{64}", "".join(json.dumps(found) for found in ALL.values()))
    assert not re.search(r"[0-9a-f]{64}|incoming/", text)


def _again(storage: Storage) -> None:
    put(storage, DAYS[1], verdict="ok")


def _label_came_late(storage: Storage) -> None:
    storage.write_json(KEYS.day(DAYS[1]).annotation_progress, {**samples.PROGRESS, "spent": 77.5})


def _accepted(storage: Storage) -> None:
    storage.write_json(KEYS.day(DAYS[1]).episodes, {"day": str(DAYS[1]), "episodes": []})


def _forgotten(storage: Storage) -> None:
    key = KEYS.day(DAYS[1]).annotation
    storage.write_bytes(key, blank_json(storage.read_bytes(key), {samples.PLAN["sample"][0]["image_id"]: "0" * 64}))


def _failed(storage: Storage) -> None:
    storage.write_json(KEYS.day(DAYS[1]).failure, samples.FAILURE)


def _taken_away(storage: Storage) -> None:
    storage.delete(KEYS.day(DAYS[1]).performance)


def _damaged(storage: Storage) -> None:
    storage.write_bytes(KEYS.day(DAYS[1]).drift, b"{half")


@pytest.mark.parametrize("change", [_again, _label_came_late, _accepted, _forgotten, _failed, _taken_away, _damaged])
def test_a_changed_day_shows_at_once_and_no_other_day_is_read(
    storage: Storage, change: Callable[[Storage], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in DAYS:
        put(storage, day)
    write_summaries(fresh(storage).store, DAYS[-1])
    kept, directly = fresh(storage), [KEYS.day(DAYS[1]).file(name) for name in FILES]
    before = read_days(kept, depth="brief")
    change(storage)
    for artifacts, more in ((kept, 1), (fresh(storage), 2)):
        with reading(storage, monkeypatch) as read:
            after = read_days(artifacts, depth="brief")
        assert {key for key in read if "/days/" in key} <= {*directly}
        assert len([key for key in read if "/summaries/" in key]) == more
        assert after[0] == before[0]
        assert after[2:] == before[2:]
        truth = _without_summaries(storage)
        assert repr(after) == repr(truth)
    if change is not _forgotten:
        assert repr(after[1]) != repr(before[1])


def _without_summaries(storage: Storage) -> list[Day]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftwatch.view.days.summarised", lambda artifacts, listed: {})
        return read_days(fresh(storage), depth="brief")


def test_a_day_that_failed_or_cannot_be_read_is_in_no_summary(storage: Storage) -> None:
    for day in DAYS[:2]:
        put(storage, day)
    _failed(storage)
    put(storage, DAYS[2])
    storage.write_bytes(KEYS.day(DAYS[2]).drift, b"{half")
    write_summaries(fresh(storage).store, DAYS[2])
    assert list(storage_of(storage, "2026-01").days) == [DAYS[0]]
    assert storage_of(storage, "2026-02").days == {}


def storage_of(storage: Storage, month: str) -> MonthSummary:
    return fresh(storage).store.read(KEYS.summary(month), MonthSummary)


def test_only_what_is_new_is_read_and_written_and_months_without_a_summary_get_one(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, early = fresh(storage).store, date(2025, 3, 1)
    for day in (early, *DAYS):
        put(storage, day)
    assert write_summaries(store, DAYS[-1]) == ["2025-03", "2026-01", "2026-02"]
    assert write_summaries(store, DAYS[-1]) == []
    put(storage, DAYS[0], labels=1)
    put(storage, early, labels=1)
    with reading(storage, monkeypatch) as read:
        assert write_summaries(store, DAYS[-1]) == ["2026-01"]
    assert {key for key in read if "/days/" in key} == {KEYS.day(DAYS[0]).file(name) for name in ALL}
    assert write_summaries(store, early) == ["2025-03"]


@pytest.mark.parametrize("other", [{"schema_version": 2}, {"forms": {"drift.json": 0}}, {"days": "none"}])
def test_a_summary_of_another_driftwatch_is_not_believed_and_is_made_anew(
    storage: Storage, other: dict[str, Any]
) -> None:
    put(storage, DAYS[0])
    store, key = fresh(storage).store, KEYS.summary("2026-01")
    write_summaries(store, DAYS[0])
    sound = storage.read_bytes(key)
    storage.write_json(key, {**json.loads(sound), **other})
    (row,) = read_days(fresh(storage), depth="brief")
    assert row.performance is not None
    assert write_summaries(store, DAYS[0]) == ["2026-01"]
    assert storage.read_bytes(key) == sound


def test_a_file_that_is_replaced_while_the_summary_is_made_is_read_by_itself(
    storage: Storage, monkeypatch: Any
) -> None:
    put(storage, DAYS[0])
    real = type(storage).stamps

    def stamps(self: Storage, folder: str, names: Any) -> dict[str, str]:
        found = real(self, folder, names)
        put(storage, DAYS[0], verdict="alert")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(type(storage), "stamps", stamps)
        write_summaries(fresh(storage).store, DAYS[0])
    put(storage, DAYS[0], verdict="ok")
    (row,) = read_days(fresh(storage), depth="brief")
    assert row.performance is not None
    assert row.performance.verdict == "ok"


def test_on_s3_a_day_is_one_listing_and_a_month_one_object(s3_storage: Storage, s3: FaultyS3) -> None:
    for day in DAYS:
        put(s3_storage, day)
        for number in range(3):  # what annotators are shown lies in a folder of its own, and is not listed
            s3_storage.write_bytes(f"{KEYS.day(day).shown}/{number}.jpg", b"x")
    directly = read_days(fresh(s3_storage), depth="brief")
    assert write_summaries(fresh(s3_storage).store, DAYS[-1])
    artifacts = fresh(s3_storage)

    def asked() -> Counter[str]:
        found, before = read_days(artifacts, depth="brief"), [*s3.asked]
        assert found == directly
        s3.asked.clear()
        return Counter("LIST" if "list-type=2" in one else one.split()[0] for one in before)

    s3.asked.clear()
    folders = 1  # which days there are
    assert asked() == {"LIST": folders + len(DAYS), "GET": 2}
    assert asked() == {"LIST": folders + len(DAYS)}
    put(s3_storage, DAYS[1], labels=3)
    directly = _without_summaries(s3_storage)
    s3.asked.clear()
    assert asked() == {"LIST": folders + len(DAYS), "GET": 1 + len(ALL)}


def test_a_storage_that_does_not_answer_leaves_no_day_out(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    put(storage, DAYS[0])
    with monkeypatch.context() as patch:
        patch.setattr(type(storage), "read_bytes", _does_not_answer)
        with pytest.raises(StorageFailed):
            write_summaries(fresh(storage).store, DAYS[0])
    assert not storage.exists(KEYS.summary("2026-01"))


def _does_not_answer(storage: Storage, key: str) -> bytes:
    if "/days/" in key:
        raise StorageFailed(f"could not read {key}")
    raise MissingArtifact(key)
