"""The pools' rules, through pages answered by workers of the test's choice."""

from __future__ import annotations

from uuid import uuid4

import pytest
from toloka.client import actions, collectors, conditions

URLS = [f"http://127.0.0.1:9/image-{number}.jpg" for number in range(30)]
BAN = actions.RestrictionV2(scope="PROJECT", duration=2, duration_unit="DAYS", private_comment="out")


def ruled_pool(market, collector, when, action, known=0, overlap=3, **changes):
    """An open pool with one rule, 12 real tasks and `known` control tasks (all cats); gives it and the ids of both."""
    pool = market.pool(overlap=overlap, golden=1 if known else 0, **changes)
    pool.quality_control.add_action(collector, action, when)
    pool = market.kit.update_pool(pool.id, pool)
    real = [task.id for task in market.upload(pool.id, URLS[:12])]
    golden = [task.id for task in market.upload(pool.id, URLS[12 : 12 + known], known=["cat"] * known)] if known else []
    market.open(pool.id)
    return pool, real, golden


def banned(market, pool) -> list[str]:
    return [restriction.user_id for restriction in market.kit.get_user_restrictions(project_id=pool.project_id)]


def test_too_many_wrong_control_tasks_ban_a_worker_and_only_that_one(market):
    when = [conditions.GoldenSetAnswersCount >= 3, conditions.GoldenSetCorrectAnswersRate < 60.0]
    pool, real, golden = ruled_pool(market, collectors.GoldenSet(history_size=10), when, BAN, known=3)
    for index in range(3):
        assert banned(market, pool) == []
        market.answer(pool.id, "good", {real[index]: "cat", golden[index]: "cat"})
        market.answer(pool.id, "bad", {real[index]: "cat", golden[index]: "dog" if index else "cat"})
    assert banned(market, pool) == ["bad"]
    restriction = next(iter(market.kit.get_user_restrictions(user_id="bad", project_id=pool.project_id)))
    assert (restriction.private_comment, restriction.scope.value) == ("out", "PROJECT")
    assert (restriction.will_expire - restriction.created).total_seconds() == pytest.approx(2 * 86_400, abs=2)


def test_the_golden_history_forgets_old_answers(market):
    when = [conditions.GoldenSetAnswersCount >= 2, conditions.GoldenSetCorrectAnswersRate < 50.0]
    pool, real, golden = ruled_pool(market, collectors.GoldenSet(history_size=2), when, BAN, known=4)
    for index, answer in enumerate(("cat", "cat", "dog", "dog")):
        assert banned(market, pool) == []
        market.answer(pool.id, "tired", {real[index]: "cat", golden[index]: answer})
    assert banned(market, pool) == ["tired"]


def test_answers_that_come_too_fast_ban_a_worker(market):
    collector = collectors.AssignmentSubmitTime(history_size=5, fast_submit_threshold_seconds=10)
    pool, real, _ = ruled_pool(market, collector, [conditions.FastSubmittedCount >= 2], BAN)
    for index, seconds in enumerate((3, 30, 9)):
        assert banned(market, pool) == []
        market.answer(pool.id, "hasty", {real[index]: "cat"}, seconds=seconds)
        market.answer(pool.id, "calm", {real[index]: "cat"}, seconds=11)
    assert banned(market, pool) == ["hasty"]


def test_disagreement_with_the_majority_bans_a_worker(market):
    when = [conditions.TotalAnswersCount >= 3, conditions.CorrectAnswersRate < 50.0]
    pool, real, _ = ruled_pool(market, collectors.MajorityVote(answer_threshold=2, history_size=20), when, BAN)
    market.answer(pool.id, "odd", dict.fromkeys(real[:4], "dog"))
    market.answer(pool.id, "ann", dict.fromkeys(real[:4], "cat"))
    assert banned(market, pool) == []  # two against each other are no majority
    market.answer(pool.id, "bob", dict.fromkeys(real[:4], "cat"))
    assert banned(market, pool) == []  # rules look at a worker when that worker answers
    market.answer(pool.id, "odd", {real[4]: "dog"})
    assert banned(market, pool) == ["odd"]


def test_income_and_accepted_answers_set_limits(market):
    pool, real, _ = ruled_pool(market, collectors.Income(), [conditions.IncomeSumForLast24Hours >= 0.1], BAN)
    market.answer(pool.id, "rich", {real[0]: "cat"})
    assert banned(market, pool) == []
    market.answer(pool.id, "rich", {real[1]: "cat"})
    assert banned(market, pool) == ["rich"]
    rule = [conditions.AssignmentsAcceptedCount >= 2]
    pool, real, _ = ruled_pool(market, collectors.AnswerCount(), rule, BAN, auto_accept_solutions=False)
    pages = [market.answer(pool.id, "able", {task_id: "cat"}).json()["id"] for task_id in real[:2]]
    assert banned(market, pool) == []
    for page in pages:
        market.kit.accept_assignment(page, "yes")
    assert banned(market, pool) == ["able"]


def test_a_rule_sets_a_skill_fixed_or_from_a_statistic(market):
    skill = market.kit.create_skill(name=f"skill {uuid4()}")
    action = actions.SetSkillFromOutputField(skill_id=skill.id, from_field="correct_answers_rate")
    collector, when = collectors.GoldenSet(history_size=10), [conditions.TotalAnswersCount >= 3]
    pool, real, golden = ruled_pool(market, collector, when, action, known=3)
    for index, answer in enumerate(("cat", "dog", "cat")):
        market.answer(pool.id, "ann", {real[index]: "cat", golden[index]: answer})
    assert [s.value for s in market.kit.get_user_skills(skill_id=skill.id, user_id="ann")] == [67]
    fixed = actions.SetSkill(skill_id=skill.id, skill_value=5)
    pool, real, _ = ruled_pool(market, collectors.AnswerCount(), [conditions.AssignmentsAcceptedCount >= 1], fixed)
    market.answer(pool.id, "ann", {real[0]: "cat"})
    assert [s.value for s in market.kit.get_user_skills(skill_id=skill.id, user_id="ann")] == [5]


@pytest.mark.parametrize(
    ("action", "status"),
    [(actions.RejectAllAssignments(public_comment="fast"), "REJECTED"), (actions.ApproveAllAssignments(), "ACCEPTED")],
)
def test_a_rule_judges_all_waiting_answers_of_a_worker(market, action, status):
    collector = collectors.AssignmentSubmitTime(history_size=5, fast_submit_threshold_seconds=10)
    when = [conditions.FastSubmittedCount >= 2]
    pool, real, _ = ruled_pool(market, collector, when, action, auto_accept_solutions=False)
    for index in range(2):
        market.answer(pool.id, "hasty", {real[index]: "cat"}, seconds=2)
        market.answer(pool.id, "calm", {real[index]: "cat"})
    found = {(p.user_id, p.status.value) for p in market.kit.get_assignments(pool_id=pool.id)}
    assert found == {("hasty", status), ("calm", "SUBMITTED")}


def test_a_banned_workers_tasks_get_one_more_answer_each(market):
    collector = collectors.AssignmentSubmitTime(history_size=5, fast_submit_threshold_seconds=10)
    pool = market.pool(overlap=3)
    pool.quality_control.add_action(collector, BAN, [conditions.FastSubmittedCount >= 2])
    revoked = [conditions.PoolAccessRevokedReason == conditions.PoolAccessRevokedReason.RESTRICTION]
    pool.quality_control.add_action(
        collectors.UsersAssessment(), actions.ChangeOverlap(delta=1, open_pool=True), revoked
    )
    market.kit.update_pool(pool.id, pool)
    real = [task.id for task in market.upload(pool.id, URLS[:4])]
    market.open(pool.id)
    for index in range(2):
        market.answer(pool.id, "hasty", {real[index]: "cat"}, seconds=2)
    assert [task.overlap for task in market.kit.get_tasks(pool_id=pool.id)] == [4, 4, 3, 3]


def test_a_rejected_page_can_ask_for_one_more_answer(market):
    when = [conditions.AssessmentEvent == conditions.AssessmentEvent.REJECT]
    action = actions.ChangeOverlap(delta=1, open_pool=True)
    pool, real, _ = ruled_pool(
        market, collectors.AssignmentsAssessment(), when, action, auto_accept_solutions=False, overlap=1
    )
    page = market.answer(pool.id, "ann", {real[0]: "cat"}).json()
    market.kit.reject_assignment(page["id"], "no")
    assert [t.overlap for t in market.kit.get_tasks(pool_id=pool.id)][:2] == [2, 1]
