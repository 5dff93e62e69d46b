"""The drawing of a day that has predictions: by strata, and the images for training alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import NeedsAttention
from driftwatch.images.late import keep_drawn_from
from driftwatch.labels.draw import keep_strata
from driftwatch.labels.kept_strata import strata_of_images
from driftwatch.labels.plan import describe, plan_labelling
from driftwatch.labels.supplement import with_supplement

from .planning import DAY, NOW, changed, of_day, write_manifest


@pytest.fixture
def predicted(storage, monitor):
    """Image n is a cat with the score n / 100; images 45 to 55 are the least sure."""
    cat = np.arange(100) / 100
    table = {"image_id": [f"id{n:03d}" for n in range(100)], "prediction": np.where(cat > 0.5, "cat", "dog")}
    table |= {"score.cat": cat, "score.dog": 1 - cat, "model_version": "v1"}
    storage.write_table(MonitorKeys(monitor.name).day(DAY).predictions, pd.DataFrame(table))
    return changed(monitor, sampling="stratified", sample_size=40)


def test_the_same_day_is_drawn_again_and_unsure_images_more_often(storage, predicted):
    day = of_day(storage, predicted)
    found = plan_labelling(day, NOW)
    assert plan_labelling(day, NOW) == found
    assert len(found.sample) == 40 == sum(stratum.asked for stratum in found.strata)
    assert sum(stratum.images for stratum in found.strata) == 100 == pytest.approx(sum(found.weights.values()))
    unsure, sure = (
        [weight for name, weight in found.weights.items() if (40 < int(name[2:]) < 60) is near]
        for near in (True, False)
    )
    assert max(unsure) < 2.5 < max(sure)  # a random sample asks about one of 2.5
    day.write(found)
    assert day.read(AnnotationPlan) == found == plan_labelling(day, NOW)


def test_the_stratum_of_every_image_is_kept_before_people_are_asked(storage, predicted):
    day = of_day(storage, predicted)
    found = plan_labelling(day, NOW)
    keep_strata(day, found)
    day.write(found)
    of_image = strata_of_images(day)
    assert of_image.value_counts().to_dict() == {stratum.name: stratum.images for stratum in found.strata}
    assert all(of_image[image.image_id] == image.stratum for image in found.sample)
    storage.write_table(day.keys.predictions, storage.read_table(day.keys.predictions).head(3))
    keep_strata(day, found.model_copy(update={"pool_id": "7"}))  # it stays as it was when they were asked
    assert len(storage.read_table(day.keys.strata)) == 100


def test_late_images_have_a_stratum_of_their_own_once_a_supplement_was_drawn_from_them(storage, monitor, predicted):
    day = of_day(storage, predicted)
    plan = plan_labelling(day, NOW).model_copy(update={"pool_id": "7"})
    keep_strata(day, plan.model_copy(update={"pool_id": None}))
    day.write(plan)
    storage.copy(day.keys.manifest, day.keys.sampled_manifest)
    write_manifest(storage, MonitorKeys(monitor.name), DAY, 120)
    assert len(strata_of_images(day)) == 100
    more, late = with_supplement(day, plan, NOW)
    keep_drawn_from(day, 1, late)
    day.write(more)
    of_image = strata_of_images(day)
    assert of_image.notna().sum() == 120
    assert set(of_image[sorted(late)]) == {more.all_strata[-1].name} == {"came late, supplement 1"}
    assert sum(more.weights.values()) == pytest.approx(120)


def test_images_for_training_are_the_least_sure_ones_outside_the_sample_and_are_paid_for(storage, predicted, monitor):
    for settings in (changed(predicted, extra_for_training=9), changed(monitor, extra_for_training=9)):
        found = plan_labelling(of_day(storage, settings), NOW)
        asked = {image.image_id for image in found.sample}
        others = sorted((n for n in range(100) if f"id{n:03d}" not in asked), key=lambda n: abs(2 * n - 100))
        assert {int(image.image_id[2:]) for image in found.extra} == set(others[:9])
        assert [image.image_id for image in found.to_label] == sorted(image.image_id for image in found.to_label)
        assert len(found.to_label) == len(asked) + 9
        without = plan_labelling(of_day(storage, changed(settings, extra_for_training=0)), NOW)
        assert found.sample == without.sample
        assert found.cost.pages == without.cost.pages + 3  # 49 images are a page of 9 more than 40, for three people
        assert "40 images and 9 for training x 3 annotators" in describe(found, settings.labels)


def test_images_whose_files_were_replaced_are_not_asked_about(storage, predicted):
    day = of_day(storage, changed(predicted, extra_for_training=9))
    whole = plan_labelling(day, NOW)
    gone = {whole.sample[3].image_id, whole.extra[0].image_id}
    found = plan_labelling(day, NOW, lambda image_id, key: image_id not in gone)
    assert not gone & {image.image_id for image in found.to_label}
    assert (len(found.sample), len(found.extra)) == (40, 9)


def test_a_day_without_an_answer_for_each_image_is_refused_before_anything_is_paid(storage, predicted):
    day = of_day(storage, predicted)
    storage.write_table(day.keys.predictions, storage.read_table(day.keys.predictions).tail(90))
    with pytest.raises(NeedsAttention, match=r"no answer for 10 of the day's images.*clear predict_labels"):
        plan_labelling(day, NOW)


def test_without_scores_strata_are_the_predicted_classes_and_no_image_is_called_hard(storage, predicted, caplog):
    day = of_day(storage, changed(predicted, extra_for_training=9))
    table = storage.read_table(day.keys.predictions).drop(columns=["score.cat", "score.dog"])
    storage.write_table(day.keys.predictions, table)
    found = plan_labelling(day, NOW)
    assert {stratum.name.split(",")[0] for stratum in found.strata} == {"cat", "dog"}
    assert found.extra == ()
    assert "production gave no scores" in caplog.text


def test_a_plan_is_drawn_anew_where_the_answers_and_so_the_strata_have_changed_before_people_are_asked(
    storage, predicted
):
    day = of_day(storage, changed(predicted, sample_size=100))
    day.write(plan_labelling(day, NOW))
    answers = storage.read_table(day.keys.predictions)
    answers.loc[:20, "prediction"] = "cat"
    storage.write_table(day.keys.predictions, answers)
    found = plan_labelling(day, NOW)
    keep_strata(day, found)
    day.write(found)
    of_image = strata_of_images(day)
    assert all(of_image[image.image_id] == image.stratum for image in found.sample)
