"""Each camera is watched for itself, against its own usual images, and all together raise no more false alarms than is stated."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST

from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.reference import AcceptedState, BaselineDecision, Mute
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift import segment_tests
from driftwatch.drift.against_reference import with_clusters
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.drift.mutes import add_mute
from driftwatch.drift.reference import Reference
from driftwatch.drift.segment_days import DAY, Segment, usual_samples
from driftwatch.images import judged
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import judged_features
from driftwatch.storage import Storage, open_storage

from .days import count_in, features_of, put_features, put_held_out, put_predictions, seen

FIRST = date(2026, 3, 1)
CAMERA = {"camera": {"key": "^([^/]+)/"}}
AT = datetime(2026, 3, 6, 8, tzinfo=timezone.utc)
SHARPNESS = "image.Sharpness.laplacian"


@pytest.fixture(autouse=True)
def _few_splits(monkeypatch):
    monkeypatch.setattr(segment_tests, "SPLITS", 500)
    monkeypatch.setattr(Reference, "splits", 500)


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def monitor(storage: Storage, divided: bool = True, **profiling: object) -> MonitorStore:
    config = {**SMALLEST, "name": "cats", "segments": CAMERA if divided else {}, "profiling": profiling}
    return MonitorStore(storage, MonitorConfig.model_validate(config))


def take_in(
    store: MonitorStore, number: int, cameras: dict[str, int], blurred: str = "", **manifest: object
) -> DayStore:
    """A day's features: so many images of each camera, of which each has its own look, and one may be blurred."""
    day = store.day(FIRST + timedelta(number))
    names = np.repeat([*cameras], [*cameras.values()])
    features = features_of(len(names), 50 + number)
    for camera in cameras:
        own = np.random.default_rng(sum(map(ord, camera))).normal(size=len(COLUMNS))
        features.loc[names == camera, list(COLUMNS)] += own
    features.loc[names == blurred, SHARPNESS] -= 3
    put_features(day, features, **{"segment.camera": names, **manifest})
    return day


def week(store: MonitorStore, days: list[dict[str, int]], blurred: tuple[str, int] = ("", 99)) -> list[DayDrift]:
    """The drift of days on end; the camera `blurred` is from that day on."""
    build_image_reference(store, "v1", features_of(300, 1))
    return [
        profile_day(take_in(store, number, cameras, blurred[0] if number >= blurred[1] else ""), "v1")
        for number, cameras in enumerate(days)
    ]


def by_name(drift: DayDrift) -> dict[str, SegmentDrift]:
    return {segment.name: segment for segment in drift.segments}


def statuses(drift: DayDrift) -> dict[str, str]:
    return {segment.name: segment.status for segment in drift.segments}


DOORS = {f"door-{number}": 40 for number in range(1, 6)}


def test_one_broken_camera_is_named_with_what_moved_since_when_and_examples(storage):
    days = week(monitor(storage), [DOORS] * 5, ("door-3", 3))
    assert [set(statuses(day).values()) for day in days[:3]] == [
        {"not_enough_evidence"},
        {"not_enough_evidence"},
        {"usual"},
    ]
    last = days[4]
    assert [segment.name for segment in last.segments_that("drifted")] == ["door-3"]
    broken = last.segments[0]
    assert (broken.name, broken.since, broken.images, broken.usual_images) == ("door-3", FIRST + timedelta(3), 40, 120)
    assert [(feature.feature, feature.direction) for feature in broken.features] == [(SHARPNESS, "down")]
    assert broken.p_value < last.segments_rate
    assert (broken.effect > 0.5, len(broken.examples)) == (True, 6)
    assert statuses(last) == {**dict.fromkeys(DOORS, "usual"), "door-3": "drifted"}
    assert last.verdict == "drifted"


def test_cameras_that_differ_by_nature_are_usual_though_the_reference_is_like_none_of_them(storage):
    days = week(monitor(storage), [DOORS] * 4)
    assert {day.whole for day in days} == {"drifted"}
    assert set(statuses(days[3]).values()) == {"usual"}


def test_a_day_is_drifted_by_a_segment_alone_and_says_that_the_whole_is_not(storage):
    store = monitor(storage)
    build_image_reference(store, "v1", features_of(300, 1))
    names = np.repeat(["a", "b", "c", "d", "e", "f", "g", "h"], 40)
    for number in range(4):
        features = features_of(320, 70 + number)
        if number == 3:
            features.loc[names == "c", SHARPNESS] -= 1.6
        day = store.day(FIRST + timedelta(number))
        put_features(day, features, **{"segment.camera": names})
        found = profile_day(day, "v1")
    assert (found.verdict, found.whole, found.drifted_features) == ("drifted", "ok", ())
    assert [segment.name for segment in found.segments_that("drifted")] == ["c"]
    assert day.read(DayDrift) == found


def test_a_new_camera_is_new_once_it_comes_and_judged_when_it_has_images_of_its_own(storage):
    more = {**DOORS, "door-9": 30}
    days = week(monitor(storage), [DOORS, DOORS, DOORS, more, more, more])
    assert [by_name(day)["door-9"].status for day in days[3:]] == ["new", "new", "usual"]
    assert by_name(days[4])["door-9"].since == FIRST + timedelta(3)
    assert {status for day in days for status in statuses(day).values()} == {"new", "usual", "not_enough_evidence"}


def test_a_silent_camera_is_missing_until_it_comes_back_and_one_that_comes_now_and_then_is_not(storage):
    fewer = {name: 40 for name in DOORS if name != "door-2"}
    rare = {**DOORS, "odd": 30}
    days = week(monitor(storage), [rare, DOORS, DOORS, fewer, fewer, DOORS])
    assert [statuses(day).get("door-2") for day in days[3:]] == ["missing", "missing", "usual"]
    assert (by_name(days[4])["door-2"].since, by_name(days[4])["door-2"].images) == (FIRST + timedelta(3), 0)
    assert all("odd" not in statuses(day) for day in days[1:])


def test_a_camera_of_which_a_large_day_judges_no_image_is_not_missing_and_images_are_those_of_the_day(
    storage, monkeypatch
):
    store = monitor(storage)
    days = week(store, [DOORS] * 4)
    assert set(statuses(days[3]).values()) == {"usual"}
    monkeypatch.setattr(judged, "MOST", 150)  # of the smallest ids, which here are those of the first cameras
    day = take_in(store, 4, DOORS)
    count_in(day)
    found = by_name(profile_day(day, "v1"))
    assert {name: row.images for name, row in found.items()} == DOORS
    assert {name: row.status for name, row in found.items()} == {
        **dict.fromkeys(DOORS, "usual"),
        "door-5": "not_enough_evidence",
    }
    assert (found["door-4"].effective_n, found["door-5"].effective_n) == (30, 0)


def test_of_segments_that_come_and_go_by_nature_nothing_is_told(storage):
    quiet = {"segments": {"camera": {**CAMERA["camera"], "tell_new_and_missing": False}}}
    store = MonitorStore(storage, MonitorConfig.model_validate({**SMALLEST, "name": "cats", **quiet}))
    found = week(store, [DOORS, DOORS, DOORS, {"door-1": 40, "door-9": 30}])[3]
    assert statuses(found) == {"door-1": "usual", "door-9": "not_enough_evidence"}
    assert not found.came_or_went


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (CAMERA["camera"], "missing"),
        ({"table": {"path": "cameras/{day}.csv", "column": "camera", "missing": "unknown"}}, None),
    ],
)
def test_a_day_whose_images_are_all_in_no_segment_is_judged_and_a_table_that_may_be_missing_makes_none_missing(
    storage, source, status
):
    config = {**SMALLEST, "name": "cats", "segments": {"camera": source}}
    store = MonitorStore(storage, MonitorConfig.model_validate(config))
    week(store, [DOORS] * 3)
    day = take_in(store, 3, DOORS)
    manifest = storage.read_table(day.keys.manifest)
    storage.write_table(day.keys.manifest, manifest.assign(**{"segment.camera": None}))
    assert statuses(profile_day(day, "v1")) == ({} if status is None else dict.fromkeys(DOORS, status))


def test_too_few_images_are_never_green(storage):
    days = week(monitor(storage), [{**DOORS, "tiny": 6}] * 4)
    assert statuses(days[3])["tiny"] == "not_enough_evidence"


def test_images_of_a_day_on_which_the_segment_had_drifted_are_no_usual_ones(storage):
    days = week(monitor(storage), [DOORS] * 7, ("door-3", 3))
    assert [by_name(day)["door-3"].status for day in days[3:]] == ["drifted"] * 4
    assert by_name(days[6])["door-3"].usual_images == 120
    assert by_name(days[6])["door-1"].usual_images == 240


def test_near_duplicates_count_once_in_their_segment(storage):
    store = monitor(storage)
    build_image_reference(store, "v1", features_of(300, 1))
    for number in range(3):
        cameras = {"door-1": 60, "door-2": 60}
        phash = [f"{value:016x}" for value in np.random.default_rng(number).integers(0, 2**63, 120)]
        found = profile_day(take_in(store, number, cameras, phash=[*phash[:60], *phash[:10] * 6]), "v1")
    assert (by_name(found)["door-1"].effective_n, by_name(found)["door-2"].effective_n) == (60, 10)
    assert (by_name(found)["door-1"].usual_images, by_name(found)["door-2"].usual_images) == (120, 20)


def test_the_rate_is_divided_between_the_day_and_its_segments(storage):
    settings = {"false_alarm_rate": 0.02, "segments": {"false_alarm_share": 0.25}}
    found = week(monitor(storage, **settings), [DOORS])[0]
    assert (found.false_alarm_rate, found.segments_rate) == pytest.approx((0.0075, 0.0025))
    assert found.day_false_alarm_rate == 0.02


def test_a_day_run_twice_has_the_same_file_and_a_monitor_without_segments_the_old_one(storage):
    store = monitor(storage)
    week(store, [DOORS] * 4)
    day = store.day(FIRST + timedelta(3))
    first = storage.read_bytes(day.keys.drift)
    profile_day(day, "v1")
    assert storage.read_bytes(day.keys.drift) == first
    profile_day(day.with_config(monitor(storage, divided=False).config), "v1")
    assert not {"segments", "segments_rate", "whole"} & set(storage.read_json(day.keys.drift))


def test_a_day_that_was_accepted_has_no_larger_part_of_the_usual_images_than_another(storage):
    """Camera 1 goes on as ever on the day that is accepted for another camera's sake."""
    store = monitor(storage, segments={"max_images": 60})
    for number in range(3):
        take_in(store, number, DOORS)
    segment, days = Segment("camera", "door-1"), [FIRST + timedelta(number) for number in range(3)]
    settings, tables = (
        store.config.profiling.segments,
        lambda of: with_clusters(store.day(of), judged_features(store.day(of))),
    )
    samples = {segment: [days, [days[1]]]}
    own, accepted = usual_samples(store.day(FIRST + timedelta(3)), samples, tables, settings)[segment]
    assert own[DAY].value_counts().to_dict() == {of.toordinal(): 20 for of in days}
    assert len(accepted) == 40
    (alone,) = usual_samples(store.day(FIRST + timedelta(3)), {segment: [days]}, tables, settings)[segment]
    assert own["image_id"].tolist() == alone["image_id"].tolist()


def test_what_was_accepted_is_usual_for_its_segment_too_and_a_third_look_is_not(storage):
    store = monitor(storage)
    week(store, [DOORS] * 5, ("door-3", 3))
    state = AcceptedState(name="repaired", days=(FIRST + timedelta(3), FIRST + timedelta(4)), images=400, history=(
        BaselineDecision(what="accepted", by="ada", at=AT, reason="a new lens"),
    ))  # fmt: skip
    store.write(store.keys.state("repaired"), state)
    build_image_reference(store.with_config(store.config), store.keys.state_place("repaired"), features_of(300, 3))
    again = profile_day(take_in(store, 5, DOORS, "door-3"), "v1")
    assert (statuses(again)["door-3"], by_name(again)["door-3"].usual_images) == ("usual", 80)
    assert profile_day(take_in(store, 6, DOORS, "door-1"), "v1").segments_that("drifted")[0].name == "door-1"


@pytest.mark.parametrize(("name", "what"), [("camera=door-3", "segment"), (SHARPNESS, "feature")])
def test_a_muted_segment_or_feature_is_seen_and_does_not_alarm(storage, name, what):
    store = monitor(storage)
    week(store, [DOORS] * 3)
    about = {"since": FIRST, "until": FIRST + timedelta(9), "by": "ada", "at": AT, "reason": "r"}
    add_mute(store, Mute(what=what, name=name, **about))
    found = profile_day(take_in(store, 3, DOORS, "door-3"), "v1")
    row = by_name(found)["door-3"]
    assert (row.status, row.silenced) == (("muted", None) if what == "segment" else ("usual", "muted"))
    assert (found.segments_that("drifted"), [mute.name for mute in found.mutes]) == ((), [name])


def test_below_the_least_effect_a_difference_is_detected_and_small(storage):
    found = week(monitor(storage, min_effect=0.95), [DOORS] * 4, ("door-3", 3))[3]
    row = by_name(found)["door-3"]
    assert (row.status, row.silenced) == ("usual", "small")


def test_content_and_predictions_of_a_segment_are_judged_against_its_own_days(storage):
    put_held_out(storage)
    store = monitor(storage)
    cameras = np.repeat(["door-1", "door-2"], 60)
    for number in range(4):
        day = store.day(FIRST + timedelta(number))
        embeddings, predictions = seen(120, 20 + number)
        if number == 2:  # its images are other since the day before; what is on them is other tomorrow
            blurred = {"by": "camera", "name": "door-2", "images": 60, "status": "drifted", "since": "2026-03-02"}
            drift = {**samples.DAY_DRIFT, "day": str(day.date), "segments": [blurred]}
            storage.write_json(day.keys.drift, drift)
        if number == 3:
            other, dogs = seen(60, 99, dogs=1.0)
            predictions[60:], embeddings[60:] = dogs, other
            embeddings[60:, 3] += 9
        put_predictions(day, embeddings, predictions, **{"segment.camera": cameras})
        found = judge_content_and_predictions(day, "v1")
    rows = {(row.kind, row.name): row for row in found.segments}
    assert {key: row.status for key, row in rows.items()} == {
        ("content", "door-1"): "usual", ("content", "door-2"): "drifted",
        ("predictions", "door-1"): "usual", ("predictions", "door-2"): "drifted",
    }  # fmt: skip
    assert {rows[kind, "door-2"].since for kind in ("content", "predictions")} == {day.date}
    assert [rows["predictions", name].usual_images for name in ("door-1", "door-2")] == [180, 120]
    moved = rows["predictions", "door-2"].features
    assert {(feature.feature, feature.direction) for feature in moved} == {("dog", "up"), ("cat", "down")}
    assert found.segments_rates == pytest.approx({"content": 0.00125, "predictions": 0.00125})
    assert day.read(ContentDrift) == found


def test_a_segmentation_of_the_log_is_judged_with_the_answers_and_tells_there_who_is_new_and_missing(storage):
    put_held_out(storage)
    log = {"path": "logs/{day}.csv", "columns": {"key": "key", "prediction": "class", "segments": ["region"]}}
    config = {**SMALLEST, "name": "cats", "segments": {"area": {"logged": "region"}}, "model": {"logged": log}}
    store = MonitorStore(storage, MonitorConfig.model_validate(config))
    for number, names in enumerate([("north", "south")] * 3 + [("north", "east")]):
        day = store.day(FIRST + timedelta(number))
        put_predictions(day, *seen(120, 30 + number))
        table = storage.read_table(day.keys.predictions)
        storage.write_table(day.keys.predictions, table.assign(**{"segment.region": np.repeat(names, 60)}))
        found = judge_content_and_predictions(day, "v1")
    rows = {row.name: row.status for row in found.segments if row.kind == "predictions"}
    assert rows == {"north": "usual", "east": "new", "south": "missing"}
