"""Toloka's pages as the table of answers, and as progress."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

from driftwatch.labels.backends.base import Pool
from driftwatch.labels.backends.toloka.collect import collect_assignments, progress

BEGUN = datetime(2026, 1, 5, 10, tzinfo=timezone.utc)


def page(name: str, user: str, status: str, **answers: str) -> SimpleNamespace:
    """An assignment of toloka-kit's; an image whose name begins with `known` is a control task whose answer is cat."""
    solution = [SimpleNamespace(output_values={"result": answer}) for answer in answers.values()]
    known = [SimpleNamespace(output_values={"result": "cat"})]
    tasks = [
        SimpleNamespace(input_values={"image_id": image}, known_solutions=known if image.startswith("known") else None)
        for image in answers
    ]
    return SimpleNamespace(
        id=name,
        user_id=user,
        status=SimpleNamespace(value=status),
        created=BEGUN,
        submitted=BEGUN + timedelta(seconds=42),
        tasks=tasks,
        solutions=solution,
        reward=0.05,
    )


class Client:
    pages = (
        page("p2", "bob", "REJECTED", b="dog", a="dog"),
        page("p1", "ann", "ACCEPTED", a="cat", known1="dog"),
    )

    def get_assignments(self, pool_id: str, status: list[str], batch_size: int) -> Any:
        assert (pool_id, status) == ("7", ["SUBMITTED", "ACCEPTED", "REJECTED"])
        return iter(self.pages)


def test_each_image_of_each_page_is_a_row():
    table = collect_assignments(Client(), "7")
    rows = table[["assignment_id", "image_id", "answer", "control", "status", "seconds", "reward"]]
    assert rows.to_numpy().tolist() == [
        ["p1", "a", "cat", False, "ACCEPTED", 42.0, 0.05],
        ["p1", "known1", "dog", True, "ACCEPTED", 42.0, 0.05],
        ["p2", "a", "dog", False, "REJECTED", 42.0, 0.05],
        ["p2", "b", "dog", False, "REJECTED", 42.0, 0.05],
    ]
    assert table["known_label"].tolist() == [None, "cat", None, None]
    assert set(table["submitted"]) == {"2026-01-05T10:00:42+00:00"}


def test_rejected_pages_were_answered_but_cost_nothing():
    found = progress(Client(), Pool("7", 4, 2, 0.2))
    assert (found.answered_images, found.answers, found.reward, found.spent) == (2, 3, 0.05, 0.06)
