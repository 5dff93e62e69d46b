"""How far a pool is, in numbers and in words."""

from __future__ import annotations

from driftwatch.labels.backends.base import Pool
from driftwatch.labels.progress import progress_of, together

POOL = Pool("7", images=12, overlap=3, fee_share=0.2)


def test_coverage_counts_images_and_money_has_the_fee():
    found = progress_of(POOL, {"a": 2, "b": 1, "c": 1}, 0.05)
    assert found.model_dump(exclude_unset=True) == {
        "images": 12,
        "answered_images": 3,
        "coverage": 0.25,
        "answers": 4,
        "answers_wanted": 36,
        "reward": 0.05,
        "spent": 0.06,
        "text": "3 of 12 images answered (25%), 4 of 36 answers, 0.06 USD spent",
    }


def test_a_pool_of_no_images_is_covered_by_nothing():
    assert progress_of(Pool("7", 0, 3, 0.2), {}, 0.0).coverage == 0.0


def test_pools_of_one_day_add_up_and_one_pool_is_itself():
    first = progress_of(Pool("1", 10, 3, 0.2), {f"i{number}": 3 for number in range(9)}, 1.0)
    second = progress_of(Pool("2", 10, 3, 0.2), {"late": 2}, 0.5)
    assert together([first]) is first
    found = together([first, second])
    assert (found.images, found.answered_images, found.coverage, found.answers) == (20, 10, 0.5, 29)
    assert (found.answers_wanted, found.reward, found.spent, found.hours) == (60, 1.5, 1.8, None)
    assert found.text == f"{first.text}; {second.text}"
    timed = [part.model_copy(update={"hours": 0.25}) for part in (first, second)]
    assert together(timed).hours == 0.5
