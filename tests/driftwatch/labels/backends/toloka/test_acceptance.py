"""Who is paid: haste and wrong control tasks are refused with the reason, everybody else is accepted, and nobody twice."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from toloka.client.exceptions import ConflictStateApiError, IncorrectActionsApiError

from driftwatch.config import QualityRules
from driftwatch.labels.backends.toloka.acceptance import Decision, carry_out, decide

RULES = QualityRules(control_min_answers=3, control_min_correct_percent=60, control_history=5, fast_seconds=5)


def page(name: str, annotator: str, control: str = "", status: str = "SUBMITTED", seconds: float = 40) -> list[dict]:
    """One image of the day and a control task for each letter of `control`: r is right, w is wrong."""
    base = {"assignment_id": name, "annotator_id": annotator, "status": status, "seconds": seconds}
    base["submitted"] = f"2026-11-20T10:00:{name[1:]:>02}"
    rows = [{**base, "image_id": f"{name}-real", "answer": "cat", "control": False, "known_label": None}]
    for index, answer in enumerate(control):
        given = "dog" if answer == "r" else "cat"
        rows.append({**base, "image_id": f"{name}-{index}", "answer": given, "control": True, "known_label": "dog"})
    return rows


def decided(*pages: list[dict]) -> dict[str, tuple[str, str]]:
    rows = pd.DataFrame([row for rows in pages for row in rows])
    shuffled = rows.sample(frac=1, random_state=1)
    assert decide(shuffled, RULES) == decide(rows, RULES)
    return {decision.assignment_id: (decision.status, decision.reason) for decision in decide(rows, RULES)}


def test_a_careful_annotator_is_accepted_with_a_wrong_control_task_now_and_then():
    found = decided(page("p1", "ann", "r"), page("p2", "ann", "w"), page("p3", "ann", "r"))
    assert {status for status, _ in found.values()} == {"ACCEPTED"}


def test_an_annotator_who_misses_control_tasks_is_rejected_on_every_page_that_waits_and_told_why():
    found = decided(page("p1", "bob", "w"), page("p2", "bob", "w"), page("p3", "bob", "r"), page("p4", "ann", "r"))
    reason = "1 of the last 3 control tasks right; at least 60 % are needed"
    assert [found[name] for name in ("p1", "p2", "p3")] == [("REJECTED", reason)] * 3
    assert found["p4"][0] == "ACCEPTED"


def test_too_few_control_answers_condemn_nobody():
    assert decided(page("p1", "bob", "w"), page("p2", "bob", "w"))["p1"][0] == "ACCEPTED"


def test_an_annotator_with_just_as_many_right_as_are_needed_is_paid():
    needed = [page("p1", "ann", "rrrww"), page("p2", "bob", "rrwww")]
    found = decided(*needed)
    assert found["p1"][0] == "ACCEPTED"
    assert found["p2"] == ("REJECTED", "2 of the last 5 control tasks right; at least 60 % are needed")


def test_only_the_last_control_answers_count_in_the_order_of_submission():
    pages = [page(f"p{number}", "ann", "w") for number in range(1, 4)]
    pages += [page(f"p{number}", "ann", "r") for number in range(4, 9)]
    assert {status for status, _ in decided(*pages).values()} == {"ACCEPTED"}


def test_a_page_in_haste_is_rejected_and_the_annotators_other_pages_are_not():
    found = decided(page("p1", "ann", "r", seconds=3), page("p2", "ann", "r"))
    assert found["p1"] == ("REJECTED", "answered in 3 s; reading the page takes at least 5 s")
    assert found["p2"][0] == "ACCEPTED"


@pytest.mark.parametrize("status", ["ACCEPTED", "REJECTED"])
def test_a_page_that_was_decided_before_stays_as_it_is(status):
    found = decided(page("p1", "bob", "www", status=status), page("p2", "ann", "r"))
    assert list(found) == ["p2"]


def test_decisions_come_sorted_by_page():
    rows = pd.DataFrame(page("p2", "ann", "r") + page("p1", "ann", "r"))
    assert decide(rows, RULES) == [
        Decision("p1", "ACCEPTED", "Thank you"),
        Decision("p2", "ACCEPTED", "Thank you"),
    ]


class Judged:
    """A client at which every page but `taken` can be judged; that one has the status `stands`, and each answer about it is a conflict."""

    def __init__(self, taken: str, stands: str, conflict: type[Exception]) -> None:
        self.taken, self.stands, self.conflict = taken, stands, conflict
        self.told: list[tuple[str, str, str]] = []

    def accept_assignment(self, page: str, comment: str) -> None:
        self._judge("ACCEPTED", page, comment)

    def reject_assignment(self, page: str, comment: str) -> None:
        self._judge("REJECTED", page, comment)

    def _judge(self, status: str, page: str, comment: str) -> None:
        if page == self.taken:
            raise self.conflict(status_code=409, request_id="r", code="CONFLICT", message="is decided already")
        self.told.append((status, page, comment))

    def get_assignment(self, page: str) -> SimpleNamespace:
        assert page == self.taken
        return SimpleNamespace(status=SimpleNamespace(value=self.stands))


DECISIONS = [
    Decision("p1", "ACCEPTED", "Thank you"),
    Decision("p2", "REJECTED", "haste"),
    Decision("p3", "ACCEPTED", "Thank you"),
]


@pytest.mark.parametrize("conflict", [ConflictStateApiError, IncorrectActionsApiError])
@pytest.mark.parametrize("stands", ["ACCEPTED", "REJECTED"])
def test_a_page_that_somebody_has_judged_meanwhile_stands_and_the_others_are_told(conflict, stands):
    client = Judged("p2", stands, conflict)
    carry_out(client, DECISIONS)
    assert client.told == [("ACCEPTED", "p1", "Thank you"), ("ACCEPTED", "p3", "Thank you")]


@pytest.mark.parametrize("conflict", [ConflictStateApiError, IncorrectActionsApiError])
def test_a_refusal_while_the_page_still_waits_is_an_error(conflict):
    client = Judged("p2", "SUBMITTED", conflict)
    with pytest.raises(conflict, match="is decided already"):
        carry_out(client, DECISIONS)


def test_each_page_is_told_its_own_decision():
    client = Judged("", "", ConflictStateApiError)
    carry_out(client, DECISIONS)
    assert client.told == [(decision.status, decision.assignment_id, decision.reason) for decision in DECISIONS]
