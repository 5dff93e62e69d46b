"""The sample of images that came after the day's own was drawn: with the same chance, within the limits, and planned once."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.images import late
from driftwatch.images.late import keep_drawn_from
from driftwatch.labels.supplement import gone_from_sample, with_supplement
from driftwatch.storage import joining

from .planning import DAY, NOW, changed, of_day, plan, planned_to_cost, write_manifest


@pytest.fixture(autouse=True, params=["held", "of a large day"])
def late_ids(request, monkeypatch):
    if request.param != "held":
        monkeypatch.setattr(late, "_HELD", 0)
        monkeypatch.setattr(joining, "_PARTS", 3)


@pytest.fixture
def asked(storage, monitor):
    """The plan of a day of 100 images, 40 of which are asked about."""
    found = plan(storage, monitor).model_copy(update={"pool_id": "1", "state": "opened"})
    of_day(storage, monitor).write(found)
    return found


def deliver(storage, monitor, images, before=100):
    """The day is taken in again, with so many images."""
    keys = MonitorKeys(monitor.name).day(DAY)
    if not storage.exists(keys.sampled_manifest):
        write_manifest(storage, MonitorKeys(monitor.name), DAY, before)
        storage.copy(keys.manifest, keys.sampled_manifest)
    write_manifest(storage, MonitorKeys(monitor.name), DAY, images)


def supplemented(storage, monitor, found, can_show=None, now=NOW):
    """The plan with its supplement, recorded as the task records it."""
    day = of_day(storage, monitor)
    found, late = with_supplement(day, found, now, can_show)
    if found.supplements and not found.supplements[-1].asked:
        keep_drawn_from(day, found.supplements[-1].number, late)
    day.write(found)
    return found


def was_asked(found):
    *earlier, newest = found.supplements
    return found.model_copy(update={"supplements": (*earlier, newest.model_copy(update={"pool_id": "2"}))})


def numbers(found):
    return {int(image.image_id.removeprefix("id")) for image in found.sample}


def test_a_day_without_late_images_keeps_its_plan(storage, monitor, asked):
    assert with_supplement(of_day(storage, monitor), asked, NOW) == (asked, [])
    assert "supplements" not in asked.stored()


def test_late_images_are_drawn_with_the_chance_of_the_others_whatever_their_order(storage, monitor, asked):
    deliver(storage, monitor, 150)
    found = supplemented(storage, monitor, asked)
    (part,) = found.supplements
    assert len(part.sample) == 20
    assert min(numbers(part)) >= 100
    assert (part.late.images, part.late.share, part.late.surplus) == (50, 0.4, ())
    assert (found.sample, found.cost, part.overlap) == (asked.sample, asked.cost, asked.overlap)
    write_manifest(storage, MonitorKeys(monitor.name), DAY, 150, order=-1)
    assert with_supplement(of_day(storage, monitor), asked, NOW)[0].supplements == (part,)


def test_few_late_images_are_drawn_as_often_as_their_share_says_and_may_be_none(storage, monitor, asked):
    """One of three images at a share of .4 is drawn on some days, and two or none on others: 1.2 on average."""
    deliver(storage, monitor, 103)
    drawn = []
    for seed in range(150):
        found, _ = with_supplement(of_day(storage, monitor), asked.model_copy(update={"seed": seed}), NOW)
        drawn.append(len(found.supplements[0].sample))
    assert set(drawn) == {1, 2}
    assert abs(sum(drawn) / len(drawn) - 1.2) < 0.12


def test_a_supplement_that_chance_leaves_empty_asks_nobody_and_is_the_same_each_time(storage, monitor, asked):
    deliver(storage, monitor, 101)
    for seed in range(20):
        found, late = with_supplement(of_day(storage, monitor), asked.model_copy(update={"seed": seed}), NOW)
        if not found.supplements[0].sample:
            break
    assert list(late) == ["id100"]
    assert [part.number for part in found.parts] == [0]
    keep_drawn_from(of_day(storage, monitor), 1, late)
    again, _ = with_supplement(of_day(storage, monitor), found, NOW + timedelta(hours=5))
    assert again.stored() == found.stored()


def test_a_supplement_that_was_asked_about_stays_and_the_next_is_of_what_came_since(storage, monitor, asked):
    deliver(storage, monitor, 150)
    first = was_asked(supplemented(storage, monitor, asked))
    assert supplemented(storage, monitor, first) == first
    deliver(storage, monitor, 200)
    second = supplemented(storage, monitor, first)
    assert second.supplements[0] == first.supplements[0]
    assert len(second.supplements[1].sample) == 20
    assert min(numbers(second.supplements[1])) >= 150
    assert [part.title for part in second.parts] == [
        "2026-11-20", "2026-11-20 supplement 1", "2026-11-20 supplement 2",
    ]  # fmt: skip


def test_a_supplement_that_nobody_was_asked_about_is_planned_anew_with_what_came_since(storage, monitor, asked):
    deliver(storage, monitor, 150)
    first = supplemented(storage, monitor, asked)
    learnt = first.supplements[0].model_copy(update={"project_id": "7", "creations": {"project": 1}})
    deliver(storage, monitor, 200)
    (part,) = supplemented(storage, monitor, first.with_part(learnt)).supplements
    assert (len(part.sample), part.late.images, part.project_id, part.creations) == (40, 100, "7", {"project": 1})
    deliver(storage, monitor, 100)
    assert supplemented(storage, monitor, first).stored() == asked.stored()


def test_where_all_were_asked_about_the_day_has_the_sample_that_a_whole_day_would_have_had(storage, monitor):
    """Half of the day in hand and all of it asked about: the rest does not cost as much again and again."""
    storage_day = of_day(storage, changed(monitor, sample_size=100))
    found = plan(storage, changed(monitor, sample_size=100)).model_copy(update={"pool_id": "1"})
    storage_day.write(found)
    deliver(storage, monitor, 400)
    (part,) = supplemented(storage, changed(monitor, sample_size=100), found).supplements
    assert (len(part.sample), part.late.share, len(part.late.surplus)) == (75, 0.25, 75)
    assert set(part.late.surplus) < {image.image_id for image in found.sample}


def test_the_limits_hold_with_the_supplement_and_a_smaller_share_is_taken_where_that_fits(storage, monitor, asked):
    """40 of 100 cost 0.90 USD; 40 late ones more at the same share would cost as much again, 20 at half of it 0.54."""
    deliver(storage, monitor, 200)
    assert len(supplemented(storage, changed(monitor, max_cost_per_day=1.8), asked).supplements[0].sample) == 40
    smaller = supplemented(storage, changed(monitor, max_cost_per_day=1.5), asked)
    (part,) = smaller.supplements
    assert (len(part.sample), part.late.share, len(smaller.surplus)) == (20, 0.2, 20)
    for limit in ("max_cost_per_day", "max_cost_per_month"):
        refused = supplemented(storage, changed(monitor, **{limit: 1.0}), asked)
        assert refused.supplements == ()
        assert refused.not_asked.images == 100
        assert f"labels.{limit} 1.00" in refused.not_asked.reason
    assert supplemented(storage, monitor, refused).not_asked is None


def test_a_supplement_counts_towards_the_month(storage, monitor, asked):
    deliver(storage, monitor, 200)
    supplemented(storage, monitor, asked)
    other = DAY + timedelta(days=1)
    planned_to_cost(storage, monitor, other, 0.0)
    write_manifest(storage, MonitorKeys(monitor.name), other, 10)
    from driftwatch.labels.money import spent_in_month

    assert spent_in_month(of_day(storage, monitor, other)) == pytest.approx(1.8)


def test_images_that_vanished_are_not_asked_about_and_others_take_their_place(storage, monitor, asked):
    deliver(storage, monitor, 150)
    (part,) = supplemented(storage, monitor, asked, lambda image_id, key: image_id >= "id110").supplements
    assert len(part.sample) == 20
    assert min(numbers(part)) >= 110
    assert part.changed
    none = supplemented(storage, monitor, asked, lambda image_id, key: image_id < "id100")
    assert none.supplements == ()
    assert "clear ingest_images" in none.not_asked.reason


def test_nobody_is_asked_while_images_of_the_sample_are_gone_from_the_day(storage, monitor, asked):
    """A supplement was bought, and paid, for a day that could not be evaluated without the first sample."""
    deliver(storage, monitor, 150)
    day = of_day(storage, monitor)
    assert gone_from_sample(day) == ""
    whole = storage.read_table(day.keys.manifest)
    first = min(image.image_id for image in asked.sample)
    storage.write_table(day.keys.manifest, whole[whole["image_id"] != first].reset_index(drop=True))
    found = supplemented(storage, monitor, asked)
    assert (found.supplements, found.not_asked.images) == ((), 50)
    assert found.not_asked.reason == gone_from_sample(day)
    assert found.not_asked.reason.startswith(
        f"gone from the day are 1 of its 40 sampled images, the first is {first}, "
    )
    storage.write_table(day.keys.manifest, whole)  # the file is back
    assert len(supplemented(storage, monitor, found).supplements) == 1


def test_a_stratified_samples_late_images_are_a_stratum_of_their_own(storage, monitor, asked):
    from driftwatch.artifacts.annotation import Stratum

    deliver(storage, monitor, 200)
    stratified = asked.model_copy(update={"strata": (Stratum(name="all", images=100, asked=40),)})
    (part,) = supplemented(storage, changed(monitor, max_cost_per_day=1.5), stratified).supplements
    assert part.strata == (Stratum(name="came late, supplement 1", images=100, asked=20),)
    assert {image.stratum for image in part.sample} == {"came late, supplement 1"}
    assert part.late.surplus == ()


def test_what_an_early_reader_finds_in_the_population_is_the_late_images_alone(storage, monitor, asked):
    deliver(storage, monitor, 103)
    supplemented(storage, monitor, asked)
    kept = storage.read_table(MonitorKeys(monitor.name).day(DAY).supplement(1))
    pd.testing.assert_frame_equal(
        kept.sort_values("image_id", ignore_index=True), pd.DataFrame({"image_id": ["id100", "id101", "id102"]})
    )
