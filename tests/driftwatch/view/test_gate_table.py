"""The gate as the models page tells it: each number with its level, both models before and after, class by class."""

from __future__ import annotations

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.retraining import GateResult
from driftwatch.view.gate_table import gate


def test_the_gate_has_a_row_for_each_part_with_the_bound_that_it_decides_by_and_its_level() -> None:
    recent = {**samples.GATE["recent"], "difference": 0.18, "low": 0.104, "high": 0.251, "p_value": 0.0003}
    found = gate(typed(GateResult, samples.GATE, recent=recent, decision="keep"))
    assert (found.verdict.word, found.against) == ("not passed", samples.GATE["champion"])
    assert [row.part for row in found.rows] == ["Recent days", "Clean images"]
    difference = found.rows[0].difference
    assert difference.text == "+18.0 points"
    assert difference.note.startswith("at least +10.4 (one-sided")
    assert found.rows[0].p == "0.0003"
    nothing = {**recent, "n": 0, "difference": None, "low": None, "high": None, "p_value": None}
    row = gate(typed(GateResult, samples.GATE, recent=nothing)).rows[0]
    assert (row.difference.text, row.difference.note, row.p) == ("–", "", "–")


def test_a_sharpened_difference_is_the_one_that_is_shown() -> None:
    sharper = {
        "images": 211, "labelled_differing": 48, "share_differing": 0.27, "difference": 0.12, "low": 0.05, "high": 0.19,
        "p_value": 0.0013, "error": 0.04,
    }  # fmt: skip
    row = gate(typed(GateResult, samples.GATE, recent={**samples.GATE["recent"], "sharpened": sharper})).rows[0]
    assert row.difference.text == "+12.0 points"
    assert row.difference.note.startswith("at least +5.0 (one-sided")
    assert row.p == "0.0013"


def test_one_sided_bounds_and_two_sided_intervals_are_told_apart_with_their_levels() -> None:
    rules = {"min_evaluation_labels": 20, "max_clean_drop": 0.05, "max_class_drop": 0.1, "gate_confidence": 0.95}
    look = {"run_key": "r1", "day": "2026-01-08", "labels": 168, "confidence": 0.965}
    found = gate(typed(GateResult, samples.GATE, rules=rules, looks=[look]))
    assert [row.difference.note.partition(" (")[2] for row in found.rows] == ["one-sided, 96.5 %)", "one-sided, 95 %)"]
    assert "95 % interval, two-sided" in found.levels
    assert "one-sided bounds at 96.5 % on recent days and 95 % on clean images" in found.levels
    shared = gate(
        typed(GateResult, samples.GATE, rules=rules, looks=[{**look, "clean": 250, "clean_confidence": 0.975}])
    )
    assert shared.rows[1].difference.note.endswith("(one-sided, 97.5 %)")
    assert "at 96.5 % on recent days and 97.5 % on clean images" in shared.levels
    early = gate(typed(GateResult, samples.GATE, rules=None, looks=[]))
    assert early.rows[0].difference.note.endswith(" (one-sided)")


@pytest.mark.parametrize("place", [0, 1])
def test_before_and_after_are_the_matrices_and_recalls_of_the_gate(place: int) -> None:
    part = samples.GATE[("recent", "clean")[place]]
    side = gate(typed(GateResult, samples.GATE)).sides[place]
    for role, table in (("champion", side.before), ("challenger", side.after)):
        matrix = part[role]["confusion_matrix"]
        assert [[cell.n for cell in row.cells] for row in table.rows] == matrix["rows"]
    assert [row.name for row in side.recalls] == part["champion"]["confusion_matrix"]["labels"]
    first = side.recalls[0]
    before, after = (part[role]["classes"][first.name]["recall"]["value"] for role in ("champion", "challenger"))
    assert first.change == f"{100 * (after - before):+.1f} points"
    assert first.worse == (after < before)
    assert side.original == (place == 1)
    assert side.days == tuple(samples.GATE[("recent_days", "clean_days")[place]])
