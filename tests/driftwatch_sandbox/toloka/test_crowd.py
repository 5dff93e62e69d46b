"""The simulated crowd: real images over the image server, answered, paid for and judged."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections import Counter, defaultdict
from urllib.parse import quote

import numpy as np
import pytest
import toloka.client as toloka
from PIL import Image
from toloka.client import actions, collectors, conditions

from driftwatch.labels.links import sign
from driftwatch_sandbox.toloka.workers import population
from driftwatch_servers.images import create_app as create_image_server
from driftwatch_servers.serving import running

SECRET = "s"
BAN = actions.RestrictionV2(scope="PROJECT", duration=2, duration_unit="DAYS", private_comment="out")


class Gallery:
    """72 small JPEGs behind an image server, and the truth about them; the last 12 serve as control tasks."""

    def __init__(self, folder):
        rng = np.random.default_rng(5)
        self.root, self.truth_file = folder / "images", folder / "truth.csv"
        self.root.mkdir()
        self.keys, self.labels, self.ids = [], [], []
        for number in range(72):
            picture = io.BytesIO()
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(picture, "JPEG")
            self.keys.append(f"photo {number}.jpg")
            self.labels.append("cat" if number % 2 else "dog")
            self.ids.append(hashlib.sha256(picture.getvalue()).hexdigest())
            (self.root / self.keys[-1]).write_bytes(picture.getvalue())
        self.label_of = dict(zip(self.ids, self.labels, strict=True))
        with self.truth_file.open("w", newline="") as file:
            csv.writer(file).writerows([("image_id", "label"), *zip(self.ids, self.labels, strict=True)])
        self.url = ""

    def link(self, number: int, lifetime: int = 60) -> str:
        expires = int(time.time()) + lifetime
        return f"{self.url}/{quote(self.keys[number])}?expires={expires}&signature={sign(self.keys[number], expires, SECRET)}"

    def upload(self, market, pool_id: str, real: int = 60, golden: int = 0, broken: tuple[int, ...] = ()) -> None:
        """Tasks that carry the image's id; `broken` ones get a link that has expired."""
        items = []
        for number in [*range(real), *range(72 - golden, 72)]:
            values = {"image": self.link(number, -5 if number in broken else 60), "image_id": self.ids[number]}
            known = (
                [toloka.Task.KnownSolution(output_values={"result": self.labels[number]})] if number >= real else None
            )
            items.append(toloka.Task(pool_id=pool_id, input_values=values, known_solutions=known))
        operation = market.kit.create_tasks_async(items, allow_defaults=True)
        market.finished(operation).raise_on_fail()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    found = Gallery(tmp_path_factory.mktemp("gallery"))
    with running(create_image_server(found.root, SECRET)) as found.url:
        yield found


@pytest.fixture
def crowded(serve_market, gallery):
    def start(**settings):
        fixed = {"crowd": True, "truth": gallery.truth_file, "crowd_speed": 300.0, "seed": 3}
        return serve_market(**fixed | settings)

    return start


def read_answers(market, pool_id):
    """(worker, image id, answer) of every real task answered."""
    return [
        (page.user_id, task.input_values["image_id"], solution.output_values["result"])
        for page in market.kit.get_assignments(pool_id=pool_id, status=["SUBMITTED", "ACCEPTED"])
        for task, solution in zip(page.tasks, page.solutions, strict=True)
        if not task.known_solutions
    ]


def rules(market, pool):
    """The golden-set rule and the rule against haste."""
    pool.quality_control.add_action(
        collectors.GoldenSet(history_size=10),
        BAN,
        [conditions.GoldenSetAnswersCount >= 3, conditions.GoldenSetCorrectAnswersRate < 60.0],
    )
    return market.kit.update_pool(pool.id, pool)


def test_a_pool_is_completed_with_exactly_its_overlap_and_a_majority_better_than_its_worst_workers(crowded, gallery):
    market = crowded()
    project = market.project(answers=("cat", "dog", "unclear"))
    pool = rules(market, market.pool(project.id, real=5, golden=1, filter=toloka.filter.Languages.in_("EN")))
    gallery.upload(market, pool.id, golden=12)
    market.open(pool.id)
    assert market.closed(pool.id).last_close_reason.value == "COMPLETED"

    answers = read_answers(market, pool.id)
    assert Counter(Counter(image for _, image, _ in answers).values()) == {3: 60}
    assert max(Counter((user, image) for user, image, _ in answers).values()) == 1
    votes, own = defaultdict(list), defaultdict(list)
    for user, image, given in answers:
        votes[image].append(given)
        own[user].append(given == gallery.label_of[image])
    majority = sum(Counter(v).most_common(1)[0][0] == gallery.label_of[image] for image, v in votes.items()) / len(
        votes
    )
    spam = [worker.id for worker in population(3) if "spammer" in worker.kind]
    spam_right = [right for user in spam for right in own[user]]
    assert majority > 0.85
    assert not spam_right or np.mean(spam_right) < majority - 0.2

    pages = list(market.kit.get_assignments(pool_id=pool.id, status="ACCEPTED"))
    assert len(pages) == 36  # 60 tasks, 3 answers each, 5 on a page
    assert all(1 <= (page.submitted - page.created).total_seconds() <= 120 for page in pages)
    english = {worker.id for worker in population(3) if "EN" in worker.profile["languages"]}
    assert {page.user_id for page in pages} <= english
    assert market.state()["account"] == {"balance": 997.84, "reserved": 0.0, "spent": 2.16}  # 36 x 0.05 and 20 %


def test_the_golden_set_rule_bans_the_spammers_and_hardly_anyone_else(crowded, gallery):
    market = crowded()
    pool = rules(market, market.pool(real=2, golden=1, overlap=5))
    gallery.upload(market, pool.id, golden=12)
    market.open(pool.id)
    market.closed(pool.id)
    kinds = {worker.id: worker.kind for worker in population(3)}
    banned = Counter(kinds[r.user_id] for r in market.kit.get_user_restrictions(project_id=pool.project_id))
    assert banned["random_spammer"] + banned["first_spammer"] >= 2
    assert banned["careful"] <= 2  # of twenty-two
    # A banned worker has no page that began after the ban.
    for restriction in market.kit.get_user_restrictions(project_id=pool.project_id):
        last = max(p.submitted for p in market.kit.get_assignments(pool_id=pool.id, user_id=restriction.user_id))
        assert abs((last - restriction.created).total_seconds()) < 1


def test_the_pool_closes_when_the_balance_is_used_up_and_no_cent_more_is_spent(crowded, gallery):
    market = crowded(balance=0.65)  # ten pages at 0.06, and a bit
    pool = market.pool(real=5)
    gallery.upload(market, pool.id)
    market.open(pool.id)
    assert market.closed(pool.id).last_close_reason.value == "NOT_ENOUGH_BALANCE"
    deadline = time.monotonic() + 5
    while market.pool_state(pool.id)["assignments"] != {"ACCEPTED": 10}:
        assert time.monotonic() < deadline, market.pool_state(pool.id)
        time.sleep(0.05)
    assert market.state()["account"] == {"balance": 0.05, "reserved": 0.0, "spent": 0.6}


def test_an_expired_link_leaves_its_task_unanswered_and_the_others_not(crowded, gallery):
    market = crowded()
    pool = market.pool(real=4, overlap=2)
    gallery.upload(market, pool.id, real=16, broken=(3,))
    market.open(pool.id)
    deadline = time.monotonic() + 15
    while (state := market.pool_state(pool.id))["completion_percentage"] < 93:
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
    assert state["status"] == "OPEN"
    assert state["assignments"]["SKIPPED"] >= 1
    answered = Counter(image for _, image, _ in read_answers(market, pool.id))
    assert answered == {image: 2 for number, image in enumerate(gallery.ids[:16]) if number != 3}


def test_pages_that_take_too_long_expire_and_cost_nothing(crowded, gallery):
    market = crowded()
    pool = market.pool(real=5, overlap=1, assignment_max_duration_seconds=6)
    gallery.upload(market, pool.id, real=10)
    market.open(pool.id)
    deadline = time.monotonic() + 10
    while (state := market.pool_state(pool.id))["assignments"].get("EXPIRED", 0) < 3:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    done = state["assignments"].get("ACCEPTED", 0)
    assert state["spent"] == pytest.approx(0.06 * done)
    expired = market.kit.find_assignments(pool_id=pool.id, status="EXPIRED").items[0]
    assert (expired.expired - expired.created).total_seconds() == pytest.approx(6, abs=0.1)


def test_only_workers_who_passed_the_training_get_the_pool(crowded, gallery):
    market = crowded()
    project = market.project()
    training = market.kit.create_training(
        toloka.Training(
            project_id=project.id,
            private_name="exam",
            may_contain_adult_content=False,
            assignment_max_duration_seconds=600,
            training_tasks_in_task_suite_count=6,
            task_suites_required_to_pass=1,
        )
    )
    gallery.upload(market, training.id, real=0, golden=12)
    market.open(training.id)
    requirement = toloka.quality_control.QualityControl.TrainingRequirement(
        training_pool_id=training.id, training_passing_skill_value=80
    )
    quality = toloka.quality_control.QualityControl(training_requirement=requirement)
    pool = market.pool(project.id, real=5, overlap=2, quality_control=quality)
    gallery.upload(market, pool.id, real=20)
    market.open(pool.id)
    market.closed(pool.id)
    exams = {
        page.user_id: np.mean(
            [
                task.known_solutions[0].output_values == solution.output_values
                for task, solution in zip(page.tasks, page.solutions, strict=True)
            ]
        )
        for page in market.kit.get_assignments(pool_id=training.id, status="ACCEPTED")
    }
    admitted = {user for user, _, _ in read_answers(market, pool.id)}
    assert admitted
    assert all(exams[user] >= 0.8 for user in admitted)
    assert any(score < 0.8 for score in exams.values())


def test_answers_wait_for_a_decision_when_the_pool_does_not_accept_by_itself(crowded, gallery):
    market = crowded()
    pool = market.pool(real=5, overlap=1, auto_accept_solutions=False)
    gallery.upload(market, pool.id, real=10)
    market.open(pool.id)
    market.closed(pool.id)
    assert market.state()["account"] == {"balance": 999.88, "reserved": 0.12, "spent": 0.0}
    for page in market.kit.get_assignments(pool_id=pool.id, status="SUBMITTED"):
        market.kit.accept_assignment(page.id, "yes")
    assert market.state()["account"] == {"balance": 999.88, "reserved": 0.0, "spent": 0.12}


def test_nobody_answers_without_a_crowd(serve_market, gallery):
    market = serve_market(crowd=False)
    pool = market.pool(real=5)
    gallery.upload(market, pool.id, real=5)
    market.open(pool.id)
    time.sleep(0.5)
    assert market.pool_state(pool.id)["assignments"] == {}
