"""What people disagreed about, and what became of every answer."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.evidence_days import CHANGED, write_days, write_labels
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import day_images
from driftwatch.view.people import AGAINST, PICTURES_A_PAGE, TIES, UNCLEAR, People, people

IMAGES = [f"{number:064x}" for number in range(3)]


@pytest.fixture
def images(storage: Storage, config: MonitorConfig) -> pd.DataFrame:
    store = monitor_store(storage, MonitorKeys(config.name), config)
    write_days(store)
    write_labels(store.day(CHANGED))
    found = day_images(Artifacts(store), CHANGED)
    assert found is not None
    return found


def answer(
    page: str, who: str, image: str, said: str, known: str | None = None, status: str = "ACCEPTED", seconds: float = 40
) -> dict:
    return {
        "assignment_id": page, "annotator_id": who, "image_id": image, "answer": said, "control": known is not None,
        "known_label": known, "status": status, "submitted": "2026-01-06T01:00:00+00:00", "seconds": seconds, "reward": 0.05,
    }  # fmt: skip


def found_of(config: MonitorConfig, images: pd.DataFrame, *answers: dict, **pages: int) -> People:
    return people(config, images, pd.DataFrame(answers) if answers else None, None, pages)


def test_ties_unclear_images_and_those_where_all_people_oppose_the_model_are_shown_with_their_votes(
    config, images
) -> None:
    found = {group.name: group for group in found_of(config, images).groups}
    assert {name: group.found for name, group in found.items()} == {TIES: 1, UNCLEAR: 1, AGAINST: 2}
    assert found[UNCLEAR].images[0].votes.replace("\N{NO-BREAK SPACE}", " ") == "people: unclear 2, cat 1"
    assert {image.model for image in found[AGAINST].images} == {"model: cat (90 %)"}
    assert all(image.votes.replace("\N{NO-BREAK SPACE}", " ") == "people: dog 3" for image in found[AGAINST].images)


def test_many_images_are_shown_page_by_page(config, images) -> None:
    many = pd.concat([images[images["status"] == "tie"]] * (PICTURES_A_PAGE + 3), ignore_index=True)
    ties = found_of(config, many, ties=2).groups[0]
    assert (ties.found, ties.page, ties.pages, len(ties.images)) == (PICTURES_A_PAGE + 3, 2, 2, 3)
    assert found_of(config, many, ties=99).groups[0].page == 2


def test_every_answer_is_accounted_for_and_rejected_ones_by_the_rule_that_rejected_them(config, images) -> None:
    id_ = images["image_id"][5]
    found = found_of(
        config, images,
        answer("a", "ann", id_, "cat"), answer("a", "ann", IMAGES[0], "cat", known="cat"),
        answer("b", "hasty", id_, "dog", status="REJECTED", seconds=2), answer("b", "hasty", IMAGES[0], "dog", known="cat", status="REJECTED", seconds=2),
        *(answer("c", "poor", image, "dog", known="cat", status="REJECTED") for image in IMAGES),
        answer("d", "ben", id_, "dog", status="REJECTED"),
        answer("e", "cy", id_, "dog", status="LATE"),
    )  # fmt: skip
    assert found.sum_text == "9 answers = 1 + 1 + 2 + 3 + 1 + 1"
    assert [(account.fate, account.answers, account.pages) for account in found.accounts] == [
        ("votes", 1, 1), ("control tasks", 1, 1), ("rejected", 2, 1), ("rejected", 3, 1), ("rejected", 1, 1), ("too late", 1, 1),
    ]  # fmt: skip
    why = [account.why for account in found.accounts if account.fate == "rejected"]
    assert "less than 5 s a page" in why[0]
    assert "fewer than 60 %" in why[1]
    assert "decided at the label service" in why[2]


def test_answers_of_who_is_left_out_are_no_votes(config, images) -> None:
    strict = config.model_copy(update={"labels": config.labels.model_copy(update={"exclude_flagged": True})})
    id_, wrong = images["image_id"][5], [answer(f"w{n}", "poor", f"{n:064x}", "dog", known="cat") for n in range(20)]
    given = (answer("a", "ann", id_, "cat"), answer("b", "poor", id_, "dog"), *wrong)
    for settings, votes in ((config, [("votes", 2)]), (strict, [("votes", 1), ("left out", 1)])):
        found = found_of(settings, images, *given)
        assert [(row.fate, row.answers) for row in found.accounts] == [*votes, ("control tasks", 20)]


def test_confusions_are_against_the_known_class_on_control_tasks_and_against_the_label_elsewhere(
    config, images
) -> None:
    labelled = images[images["label"] == "cat"]["image_id"].tolist()[0]
    found = found_of(
        config, images,
        *(answer(page, page, labelled, said) for page, said in (("a", "cat"), ("b", "cat"), ("c", "dog"))),
        answer("a", "a", IMAGES[0], "unclear", known="dog"), answer("b", "b", IMAGES[0], "dog", known="dog"),
    )  # fmt: skip
    assert [(row.truth, row.answer, row.n, row.share) for row in found.control] == [("dog", "unclear", 1, "50 %")]
    assert [(row.truth, row.answer, row.n, row.share) for row in found.consensus] == [("cat", "dog", 1, "33 %")]
    assert found.control_about.startswith("2 answers on control tasks")


def test_a_day_without_answers_of_people_has_no_accounts(config, images) -> None:
    found = found_of(config, images)
    assert (found.accounts, found.persons, found.control) == ([], [], [])
