"""The gate by segment: which segments got better or worse, at one error rate, and what is not asked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from driftwatch.models.gate_segments import compared_by_segment
from driftwatch.view.gate_segments import gate_segment_rows, worse_segments_line


def images(name: str, both: int, won: int, lost: int, neither: int = 0) -> pd.DataFrame:
    """Images of one camera, by who is right."""
    right = [(True, True)] * both + [(False, True)] * won + [(True, False)] * lost + [(False, False)] * neither
    answers = [["cat" if one else "dog" for one in pair] for pair in right]
    table = pd.DataFrame(answers, columns=["champion", "challenger"])
    return table.assign(label="cat", camera=name)


def test_a_segment_that_got_worse_beyond_chance_is_told_first_and_small_ones_are_not_asked() -> None:
    table = pd.concat(
        [images("good", 20, 25, 2), images("bad", 30, 2, 18), images("same", 40, 3, 3), images("few", 0, 0, 5)]
    )
    found = compared_by_segment(table, table[["camera"]], least=10, error=0.05)
    assert [(each.name, each.finding) for each in found] == [
        ("bad", "worse"), ("few", "not_enough_evidence"), ("same", "not_told_apart"), ("good", "better")
    ]  # fmt: skip
    bad = found[0]
    assert (bad.n, bad.won, bad.lost, bad.difference) == (50, 2, 18, -0.32)
    assert bad.low < bad.difference < bad.high < 0
    assert found[1].p_value is None
    assert worse_segments_line(found) == "Worse beyond chance in camera bad: -32.0% (2 won, 18 lost of 50)."
    assert [row.verdict.word for row in gate_segment_rows(found)][0::3] == ["worse", "better"]


def test_a_loss_that_one_segment_alone_would_show_is_not_told_among_many() -> None:
    """Seven lost of seven have p = 0.016: beyond 5 % alone, not among twenty."""
    one = images("suspect", 30, 0, 7)
    assert compared_by_segment(one, one[["camera"]], 10, 0.05)[0].finding == "worse"
    many = pd.concat([one, *(images(f"door-{place}", 30, 3, 3) for place in range(19))])
    found = {each.name: each for each in compared_by_segment(many, many[["camera"]], 10, 0.05)}
    assert found["suspect"].finding == "not_told_apart"
    assert worse_segments_line([*found.values()]) == ""


def test_of_equal_models_any_segment_is_told_at_most_as_often_as_stated() -> None:
    rng, told = np.random.default_rng(1), 0
    for _ in range(60):
        won, lost = rng.binomial(20, 0.5, 15), np.zeros(15, dtype=int)
        lost = 20 - won
        table = pd.concat([images(f"door-{k}", 30, int(won[k]), int(lost[k])) for k in range(15)])
        found = compared_by_segment(table, table[["camera"]], 10, 0.05)
        told += any(each.finding in ("worse", "better") for each in found)
    assert told <= 7  # more have a chance of 2 %


def test_images_in_no_segment_are_left_out() -> None:
    table = images("one", 30, 1, 1)
    camera = pd.DataFrame({"camera": ["one"] * 20 + [None] * 12})
    assert [(each.name, each.n) for each in compared_by_segment(table, camera, 10, 0.05)] == [("one", 20)]
