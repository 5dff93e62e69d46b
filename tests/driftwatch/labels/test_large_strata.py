"""A day that is judged by a sample: its strata, and its images for training, are those of all its images, and no table of them is read whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import DayStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images import late as late_ids
from driftwatch.images.late import keep_drawn_from
from driftwatch.labels import answered as answering
from driftwatch.labels.answered import Answered, ManyAnswered, answered_in
from driftwatch.labels.draw import Wanted, draw_sample, keep_strata
from driftwatch.labels.kept_strata import images_of_strata, strata_of_images
from driftwatch.labels.passing_strata import stratify_passing
from driftwatch.labels.plan import plan_labelling
from driftwatch.labels.sample import accepted_images, accepted_of_any_day, seeded_order
from driftwatch.labels.smallest import Smallest
from driftwatch.labels.strata import stratify
from driftwatch.labels.supplement import with_supplement
from driftwatch.storage import Storage, joining, tables

from ..artifacts import samples
from .planning import DAY, NOW, changed, of_day

SEEDS = range(4)


def write_day(day: DayStore, rng: np.random.Generator, images: int, ties: bool = False, scored: bool = True) -> None:
    """Images in the order of their keys, not of their ids; among them copies and quarantined ones. With `ties` many images have the same scores."""
    cat = rng.beta(0.5, 0.5, images)
    cat = cat.round(1) if ties else cat
    ids = [f"{number:08x}" for number in rng.permutation(images * 7)[:images]]
    answers = {"image_id": ids, "prediction": np.where(cat >= 0.5, "cat", "dog")}
    answers |= {"score.cat": cat, "score.dog": 1 - cat} if scored else {}
    rows = [(f"in/{place:05d}.jpg", image_id, "accepted") for place, image_id in enumerate(ids)]
    rows[5:5] = [("in/00004x.jpg", ids[0], "duplicate"), ("in/00004y.jpg", "bad", "quarantined")]
    manifest = pd.DataFrame(rows, columns=["key", "image_id", "status"])
    for key, table in (
        (day.keys.predictions, pd.DataFrame({**answers, "model_version": "v1"})),
        (day.keys.manifest, manifest),
    ):
        found = pa.Table.from_pandas(table, preserve_index=False)
        with tables.writing_table(day.storage, key, found.schema) as file:
            file.add(found)


def as_a_large_day(day: DayStore) -> None:
    """What ingest leaves of a day of more than judged.MOST images."""
    manifest = day.storage.read_table(day.keys.manifest)
    accepted = manifest[manifest["status"] == "accepted"]
    day.storage.write_table(day.keys.judged, accepted.sort_values("image_id").head(3))
    told = {"day": str(day.date), "accepted": len(accepted), "judged": 3}
    day.storage.write_json(day.keys.ingest, samples.INGEST | told)


@pytest.fixture
def whole_tables(monkeypatch: pytest.MonkeyPatch) -> Callable[[DayStore], None]:
    """Makes the reading of a whole table of the day's images fail from now on."""

    def refuse(day: DayStore) -> None:
        read = type(day.storage).read_bytes

        def of(self: Storage, key: str) -> bytes:
            assert key not in (day.keys.manifest, day.keys.predictions, day.keys.strata), f"{key} is read whole"
            return read(self, key)

        monkeypatch.setattr(type(day.storage), "read_bytes", of)

    return refuse


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS", 64)
    monkeypatch.setattr(joining, "_PARTS", 3)


@pytest.fixture
def stratified(monitor: MonitorConfig) -> MonitorConfig:
    return changed(monitor, sampling="stratified", sample_size=60)


@pytest.mark.parametrize("seed", SEEDS)
def test_images_for_training_are_those_that_are_chosen_among_all_answers_held(
    storage: Storage,
    monitor: MonitorConfig,
    seed: int,
    whole_tables: Callable[[DayStore], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "_SPARE", 3)
    rng, day = np.random.default_rng(seed), of_day(storage, monitor)
    write_day(day, rng, 700, ties=bool(seed % 2))
    gone = set(rng.choice(storage.read_table(day.keys.predictions)["image_id"], 400 if seed % 3 == 0 else 5))
    wanted = Wanted(seed, 40, extra=30)
    expected = draw_sample(accepted_images(day), wanted, lambda image_id, key: image_id not in gone)
    as_a_large_day(day)
    whole_tables(day)
    found = draw_sample(accepted_of_any_day(day), wanted, lambda image_id, key: image_id not in gone)
    assert found == expected
    assert len(found.extra) == 30


@pytest.mark.parametrize("seed", SEEDS)
def test_each_stratum_gives_its_first_images_in_the_order_of_the_seed_and_its_number_is_known(
    storage: Storage,
    stratified: MonitorConfig,
    seed: int,
    whole_tables: Callable[[DayStore], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "_SPARE", 3)
    rng, day = np.random.default_rng(seed), of_day(storage, stratified)
    write_day(day, rng, 700, ties=bool(seed % 2), scored=seed != 3)
    gone = set(rng.choice(storage.read_table(day.keys.predictions)["image_id"], 500 if seed % 3 == 0 else 5))
    as_a_large_day(day)
    whole_tables(day)
    plan = plan_labelling(day, NOW, lambda image_id, key: image_id not in gone or key.startswith("m/"))
    keep_strata(day, plan)
    day.write(plan)
    assert day.read(AnnotationPlan) == plan_labelling(day, NOW, lambda image_id, key: image_id not in gone) == plan
    counts = images_of_strata(day)["v1"]
    assert counts == {stratum.name: stratum.images for stratum in plan.strata}
    assert sum(counts.values()) == 700
    monkeypatch.undo()
    of_image = strata_of_images(day)
    assert of_image is not None
    assert of_image.value_counts().to_dict() == counts
    drawn = {image.image_id for image in plan.sample}
    for stratum in plan.strata:
        inside = of_image.index[of_image == stratum.name]
        order = [one for one in seeded_order(inside, plan.seed, day.config.name, day.date) if one not in gone]
        assert drawn & set(inside) == set(order[: stratum.asked])
    told = strata_of_images(day, [*drawn, "nobody's"])
    assert told is not None
    assert told.to_dict() == {image.image_id: image.stratum for image in plan.sample}


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("wanted", [1, 60, 300])
def test_strata_are_those_of_all_images_but_for_sizes_that_are_nearly_the_same(classes: int, wanted: int) -> None:
    rng = np.random.default_rng(classes)
    scores = rng.dirichlet(2 / np.arange(1, classes + 1), 20_000)
    answers, names = scores.argmax(axis=1), [f"c{place}" for place in range(classes)]
    parts = [(answers[start : start + 999], scores[start : start + 999]) for start in range(0, len(scores), 999)]
    expected, found = stratify(answers, scores, names, wanted), stratify_passing(lambda: iter(parts), names, wanted)
    assert found.names == expected.names
    of_image = np.concatenate([found.of(*part) for part in parts])
    assert np.bincount(of_image, minlength=len(found.names)).tolist() == found.images.tolist()
    assert found.asked.sum() == wanted
    assert (of_image == expected.of_image).mean() > 0.995
    assert found.images == pytest.approx(expected.images, rel=0.05, abs=5)
    assert np.abs(found.asked - expected.asked).max() <= 1


def test_equal_images_are_never_in_two_strata_and_no_stratum_is_empty() -> None:
    answers = np.arange(3000) % 3
    found = stratify_passing(lambda: iter([(answers, None)]), ["cat", "dog", "none of them", "fox"], 100)
    assert set(found.names) == {"cat", "dog", "none of them"}
    assert found.images.tolist() == [1000] * 3
    assert sorted(found.asked.tolist()) == [33, 33, 34]


def test_every_image_has_the_chance_that_its_stratum_says() -> None:
    """Drawn with many seeds: an image is in the sample as often as its stratum's share, so that weights by strata are right."""
    rng = np.random.default_rng(5)
    scores = rng.dirichlet([0.6, 0.3], 120)
    answers, names = scores.argmax(axis=1), ["cat", "dog"]
    strata = stratify_passing(lambda: iter([(answers, scores)]), names, 40)
    of_image, ids = strata.of(answers, scores), np.array([f"id{number:03d}" for number in range(120)])
    seeds, times = 1500, np.zeros(120)
    for seed in range(seeds):
        for place, asked in enumerate(strata.asked):
            inside = np.flatnonzero(of_image == place)
            chosen = set(seeded_order(ids[inside], seed, "m", DAY)[:asked])
            times[[row for row in inside if ids[row] in chosen]] += 1
    chance = (strata.asked / strata.images)[of_image]
    error = np.sqrt(np.maximum(chance * (1 - chance), 1e-9) / seeds)
    assert (np.abs(times / seeds - chance) <= 4.5 * error + 1e-12).all()
    assert len(set(chance.round(6))) > 2


@pytest.mark.parametrize("many", [False, True])
def test_answers_to_no_image_of_the_day_have_no_part_and_missing_ones_are_told(
    storage: Storage, stratified: MonitorConfig, many: bool
) -> None:
    day = of_day(storage, stratified)
    write_day(day, np.random.default_rng(1), 300)
    if many:
        as_a_large_day(day)
    answers = storage.read_table(day.keys.predictions)
    stranger = answers.head(4).assign(image_id=["x1", "x2", "x3", "x4"])
    shuffled = pd.concat([answers, stranger]).sample(frac=1, random_state=1)
    storage.write_table(day.keys.predictions, shuffled)
    found = answered_in(accepted_of_any_day(day))
    assert isinstance(found, ManyAnswered if many else Answered)
    plan = plan_labelling(day, NOW)
    assert sum(stratum.images for stratum in plan.strata) == 300
    keep_strata(day, plan)
    assert sorted(storage.read_table(day.keys.strata)["image_id"]) == sorted(answers["image_id"])
    storage.write_table(day.keys.predictions, shuffled[shuffled["image_id"] != answers["image_id"][7]])
    with pytest.raises(NeedsAttention, match=r"no answer for 1 of the day's images.*clear predict_labels"):
        plan_labelling(day, NOW)


def test_images_that_production_did_not_answer_are_not_drawn(
    storage: Storage, stratified: MonitorConfig, caplog: pytest.LogCaptureFixture
) -> None:
    logged = stratified.model_copy(update={"model": stratified.model.model_copy(update={"predictions": "logged"})})
    day = of_day(storage, logged)
    write_day(day, np.random.default_rng(1), 300)
    as_a_large_day(day)
    answers = storage.read_table(day.keys.predictions)
    storage.write_table(day.keys.predictions, answers.iloc[::3])
    caplog.set_level("INFO")
    plan = plan_labelling(day, NOW)
    assert sum(stratum.images for stratum in plan.strata) == 100
    assert {image.image_id for image in plan.sample} <= set(answers["image_id"][::3])
    assert "200 images that production did not answer" in caplog.text


@pytest.mark.parametrize("many", [False, True])
def test_a_day_of_which_production_answered_nothing_is_refused_with_what_to_do(
    storage: Storage, stratified: MonitorConfig, many: bool
) -> None:
    logged = stratified.model_copy(update={"model": stratified.model.model_copy(update={"predictions": "logged"})})
    day = of_day(storage, logged)
    write_day(day, np.random.default_rng(1), 300)
    if many:
        as_a_large_day(day)
    storage.write_table(day.keys.predictions, storage.read_table(day.keys.predictions).head(0))
    with pytest.raises(NeedsAttention, match=r"answered no image.*complete its log"):
        plan_labelling(day, NOW)


@pytest.mark.parametrize("held", [True, False])
def test_late_images_of_a_large_day_have_a_stratum_of_their_own(
    storage: Storage, stratified: MonitorConfig, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    if not held:
        monkeypatch.setattr(late_ids, "_HELD", 0)
    day = of_day(storage, stratified)
    write_day(day, np.random.default_rng(1), 300)
    as_a_large_day(day)
    plan = plan_labelling(day, NOW)
    keep_strata(day, plan)
    plan = plan.model_copy(update={"pool_id": "7"})
    day.write(plan)
    storage.copy(day.keys.manifest, day.keys.sampled_manifest)
    manifest, answers = (storage.read_table(key) for key in (day.keys.manifest, day.keys.predictions))
    late = pd.DataFrame(
        {"key": ["in/00000a.jpg"] * 40, "image_id": [f"late{n:02d}" for n in range(40)], "status": "accepted"}
    )
    storage.write_table(day.keys.manifest, pd.concat([late, manifest]))
    more = answers.sample(40, random_state=1).assign(image_id=late["image_id"].tolist(), model_version="v2")
    storage.write_table(
        day.keys.predictions, pd.concat([more, answers.iloc[5:]])
    )  # five images have no answer any more
    storage.write_json(day.keys.ingest, storage.read_json(day.keys.ingest) | {"accepted": 340})
    assert set(images_of_strata(day)) == {"v1"}
    with_more, ids = with_supplement(day, plan, NOW)
    assert sorted(ids) == late["image_id"].tolist()
    keep_drawn_from(day, 1, ids)
    day.write(with_more)
    of_image, counts = strata_of_images(day), images_of_strata(day)
    assert of_image is not None
    for version, table in pd.concat([more, answers.iloc[5:]]).groupby("model_version"):
        expected = of_image[of_image.index.isin(table["image_id"])].value_counts()
        assert counts[str(version)] == expected[expected > 0].to_dict()
    assert counts["v2"] == {"came late, supplement 1": 40}


@pytest.mark.parametrize("rows", [0, 10, 200_000])
def test_the_smallest_of_each_group_are_kept(rows: int) -> None:
    rng = np.random.default_rng(rows)
    group, key = rng.integers(0, 5, rows), rng.integers(0, 1000, rows).astype(float)
    ids = np.array([f"i{number:07d}" for number in rng.permutation(rows)])
    most = np.array([0, 1, 7, 50, 1000])
    found = Smallest(most, np.float64(np.inf))
    for start in range(0, rows, 4096):
        part = slice(start, start + 4096)
        found.add(group[part], key[part], pa.chunked_array([pa.array(ids[part])]))
    order = np.lexsort((ids, key))
    assert found.ids() == [ids[order][group[order] == place][:n].tolist() for place, n in enumerate(most)]


@pytest.mark.parametrize(
    ("seed", "digest"),
    enumerate(["c5f332c865ae5582", "96fdaaa157868db6", "b212587febafaef2", "ddd2e3464304d13e", "a22a8c4f78e2cf0f"]),
)
def test_a_day_up_to_the_bound_is_drawn_as_ever(
    storage: Storage, stratified: MonitorConfig, seed: int, digest: str
) -> None:
    """The digests are those of Driftwatch 0.3.0 as it was before a large day's answers were no longer held."""
    day = of_day(storage, stratified)
    write_day(day, np.random.default_rng(seed), 500, ties=bool(seed % 2), scored=seed != 3)
    gone = set(storage.read_table(day.keys.predictions)["image_id"][:: 7 + seed])
    wanted = Wanted(seed, 60, stratified=True, extra=0 if seed == 3 else 25)
    found = draw_sample(accepted_images(day), wanted, lambda image_id, key: image_id not in gone)
    told = [[one.model_dump() for one in part] for part in (found.images, found.changed, found.strata, found.extra)]
    assert hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16] == digest
