"""What each label backend must do, against its service over real HTTP. A new one joins by one line in services.SERVICES."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pandas as pd
import pytest
from tests.covered_images import vivid

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.labels.assignments import COUNTED, Answer
from driftwatch.labels.backends.base import AT_DAILY_LIMIT, AT_DEADLINE, COMPLETED, LabelSite, Pool, backend_of
from driftwatch.labels.creation import create_day_pool
from driftwatch.labels.links import ImageLinks

from .days import (
    CONTROL,
    FEE,
    IMAGES,
    NOW,
    SIGNERS,
    asked,
    backend,
    covered_day,
    deliver_late,
    opened,
    pool_of,
    until_closed,
)


def test_it_says_who_it_is(service):
    made = backend(service)
    assert made.name == service.name
    assert made.title


def test_a_day_that_is_planned_twice_has_one_open_pool_with_each_image_once(service, day):
    first = opened(service, day)
    assert first.state == "opened"
    assert opened(service, day) == first == day.read(AnnotationPlan)
    assert (service.pools(), sorted(service.shown(pool_of(first)))) == (1, asked(first))
    state = backend(service).look(pool_of(first))
    assert (state.is_open, state.close_reason) == (True, None)
    assert abs(state.ends - first.expires) < timedelta(minutes=1)


def test_images_for_training_are_in_the_pool_like_those_of_the_sample(service, day):
    labels = day.config.labels.model_copy(update={"sample_size": IMAGES - 2, "extra_for_training": 2})
    day = day.with_config(day.config.model_copy(update={"labels": labels}))
    ids = day.storage.read_table(day.keys.manifest)["image_id"]
    answers = {"image_id": ids, "prediction": "cat", "score.cat": 0.6, "score.dog": 0.4}
    day.storage.write_table(day.keys.predictions, pd.DataFrame(answers))
    plan = opened(service, day)
    pool = pool_of(plan)
    assert len(plan.extra) == 2
    assert sorted(service.shown(pool)) == sorted(image.image_id for image in (*plan.to_label, *plan.control))
    assert backend(service).progress(pool).images == pool.images == IMAGES


def test_a_plan_that_was_lost_finds_its_pool(service, day):
    first = opened(service, day)
    day.storage.delete(day.keys.annotation)
    assert opened(service, day).pool_id == first.pool_id
    assert (service.pools(), sorted(service.shown(pool_of(first)))) == (1, asked(first))


def test_late_images_have_a_pool_of_their_own_and_the_first_one_stays_as_it_is(service, day):
    first = opened(service, day)
    made = backend(service)
    service.answer(pool_of(first), "ann", day.config.classes[0], [image.image_id for image in first.sample])
    made.close(pool_of(first))
    until_closed(made, pool_of(first))
    deliver_late(day, IMAGES)
    plan = opened(service, day)
    own, supplement = plan.parts
    assert len(supplement.sample) == IMAGES // 2  # of twelve images, six are wanted
    assert own.pool_id == first.pool_id != supplement.pool_id
    assert not made.look(pool_of(own)).is_open
    assert made.look(pool_of(supplement)).is_open
    assert sorted(service.shown(pool_of(own))) == asked(first)
    assert sorted(service.shown(pool_of(supplement))) == asked(supplement)
    service.answer(pool_of(supplement), "bob", day.config.classes[1], [image.image_id for image in supplement.sample])
    answers = [made.collect(pool_of(part)) for part in plan.parts]
    assert [int((~table["control"]).sum()) for table in answers] == [IMAGES, IMAGES // 2]
    assert opened(service, day) == plan
    assert day.read(AnnotationPlan) == plan
    assert service.pools() == 2


def test_progress_counts_answers_of_the_sample_and_coverage(service, day):
    plan = opened(service, day)
    pool, images = pool_of(plan), [image.image_id for image in plan.sample]
    none = backend(service).progress(pool)
    assert (none.images, none.answered_images, none.coverage, none.answers) == (IMAGES, 0, 0.0, 0)
    assert (none.answers_wanted, none.spent) == (2 * IMAGES, 0.0)
    service.answer(pool, "ann", day.config.classes[0], images)
    service.answer(pool, "bob", day.config.classes[1], images[:2])
    some = backend(service).progress(pool)
    assert (some.answered_images, some.coverage, some.answers) == (IMAGES, 1.0, IMAGES + 2)
    assert some.spent == pytest.approx(some.reward * (1 + FEE))
    assert some.text.startswith("6 of 6 images answered (100%), 8 of 12 answers, ")


def test_collected_answers_are_a_row_for_each_image_and_control_tasks_say_the_right_answer(service, day):
    plan = opened(service, day)
    pool, images = pool_of(plan), [image.image_id for image in plan.sample]
    assert backend(service).collect(pool).columns.tolist() == list(Answer._fields)
    service.answer(pool, "ann", day.config.classes[0], images)
    found = backend(service).collect(pool)
    sampled, control = found[~found["control"]], found[found["control"]]
    assert sorted(sampled["image_id"]) == sorted(images)
    assert set(sampled["answer"]) == {day.config.classes[0]}
    assert sampled["known_label"].isna().all()
    truth = {task.image_id: task.label for task in plan.control}
    assert control.set_index("image_id")["known_label"].to_dict() == truth
    assert (control["answer"] == control["known_label"]).all()
    assert set(found["annotator_id"]) == {service.who("ann")}
    assert set(found["status"]) <= set(COUNTED)
    submitted = pd.to_datetime(found["submitted"], utc=True, format="ISO8601")
    assert ((datetime.now(timezone.utc) - submitted) < timedelta(minutes=5)).all()
    pd.testing.assert_frame_equal(backend(service).collect(pool), found)


def test_pages_are_decided_once_and_the_decision_changes_no_answer(service, day):
    plan = opened(service, day)
    pool, images = pool_of(plan), [image.image_id for image in plan.sample]
    service.answer(pool, "ann", day.config.classes[0], images)
    service.answer(pool, "haste", day.config.classes[0], images, seconds=1)
    made, rules = backend(service), day.config.labels.quality
    collected = made.collect(pool)
    settled = made.settle(pool, collected, rules)
    pd.testing.assert_frame_equal(settled.drop(columns="status"), collected.drop(columns="status"))
    again = made.settle(pool, made.collect(pool), rules)
    pd.testing.assert_frame_equal(again, settled)
    assert made.progress(pool).answers == 2 * IMAGES  # rejected answers were given


def test_a_pool_may_be_closed_twice_and_stays_closed_when_the_day_runs_again(service, day):
    plan = opened(service, day)
    pool, made = pool_of(plan), backend(service)
    service.answer(pool, "ann", day.config.classes[0], [image.image_id for image in plan.sample])
    made.close(pool)
    made.close(pool)
    assert until_closed(made, pool).close_reason not in (None, COMPLETED)
    opened(service, day)
    assert not made.look(pool).is_open
    assert service.pools() == 1
    assert made.progress(pool).answers == IMAGES == (~made.collect(pool)["control"]).sum()


def test_answers_that_come_after_the_day_was_collected_are_in_the_next_collection(service, day):
    plan = opened(service, day)
    pool, images = pool_of(plan), [image.image_id for image in plan.sample]
    made = backend(service)
    service.answer(pool, "ann", day.config.classes[0], images[:3])
    first = made.settle(pool, made.collect(pool), day.config.labels.quality)
    service.answer(pool, "late", day.config.classes[1], images)
    second = made.settle(pool, made.collect(pool), day.config.labels.quality)
    pd.testing.assert_frame_equal(second[second["annotator_id"] == service.who("ann")].reset_index(drop=True), first)
    assert (~second["control"]).sum() == 3 + IMAGES == made.progress(pool).answers


def test_a_pool_with_every_answer_ends_as_completed(service, day):
    plan = opened(service, day)
    pool, images = pool_of(plan), [image.image_id for image in plan.sample]
    for who in ("ann", "bob"):
        service.answer(pool, who, day.config.classes[0], images)
    assert until_closed(backend(service), pool).close_reason == COMPLETED


def test_a_person_finds_the_pool_by_its_page(service, day):
    plan = opened(service, day)
    address = backend(service).page(plan)
    assert address.startswith("http")
    assert plan.pool_id in address


def test_a_refused_login_is_final_and_never_shows_the_secret(service, day):
    with pytest.raises(AccessRefused, match="Admin > Connections") as refused:
        create_day_pool(day, backend(service, service.stolen), SIGNERS, NOW)
    assert backend(service).refusal(refused.value) is refused.value
    assert "stolen" not in str(refused.value)
    assert service.pools() == 0


def test_a_pool_that_is_not_there_is_final_and_a_broken_network_is_not(service, day):
    made = backend(service)
    with pytest.raises(Exception, match=r"\w") as gone:
        made.look(Pool("999999999", IMAGES, 2, FEE))
    assert isinstance(made.refusal(gone.value), NeedsAttention)
    assert made.refusal(ConnectionError("the network is down")) is None


def test_nothing_is_read_before_it_is_needed(service):
    def unread(connection: str, secret: str) -> None:
        raise AssertionError("the connection was read")

    assert backend_of(service.name, LabelSite("c", unread)).remedy(AT_DEADLINE)


@pytest.mark.parametrize("reason", [AT_DEADLINE, AT_DAILY_LIMIT, "a word of the service"])
def test_each_early_end_has_a_remedy(service, reason):
    assert backend(service).remedy(reason)


def test_every_image_that_people_get_is_covered_and_one_without_a_row_is_not_among_them(
    service, day, monkeypatch, caplog
):
    """`labels.blur`: of the sample and of control tasks alike."""
    day, hidden = covered_day(day)
    linked: list[str] = []

    def noted(links: ImageLinks, key: str) -> str:
        linked.append(key)
        return link_to(links, key)

    link_to = ImageLinks.to
    monkeypatch.setattr(ImageLinks, "to", noted)
    plan = opened(service, day)
    assert sorted(service.shown(pool_of(plan))) == asked(plan)
    assert len(plan.sample) == IMAGES - 1
    assert hidden not in asked(plan)
    assert "is shown to nobody" in caplog.text
    assert len(plan.control) == CONTROL
    folder = day.keys.shown
    assert sorted(set(linked)) == [item.key for item in day.storage.list(folder)]
    assert len(set(linked)) == len(asked(plan))
    for key in linked:
        assert key.startswith(f"{folder}/covered/")
        assert vivid(day.storage.read_bytes(key)) == 0
