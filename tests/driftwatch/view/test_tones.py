"""Each verdict has a tone and a word, none of them rests on colour alone, and what is not known is never good."""

from __future__ import annotations

from typing import get_args

import pytest

from driftwatch.artifacts.parts import AccuracyVerdict, DriftVerdict
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.versions import Finding
from driftwatch.view import tones
from driftwatch.view.tones import BAD, GOOD, UNSURE, WAITING, WARN

DECISIONS = get_args(GateResult.model_fields["decision"].annotation)


def test_every_verdict_that_an_artifact_may_hold_has_its_own_word() -> None:
    for of, verdicts in (
        (tones.of_drift, get_args(DriftVerdict)),
        (tones.of_model, get_args(AccuracyVerdict)),
        (tones.of_gate, DECISIONS),
    ):
        assert len({of(verdict).word for verdict in verdicts}) == len({of(verdict).tone for verdict in verdicts}) == 3


def test_a_version_has_a_word_for_each_finding_and_only_a_better_one_is_green() -> None:
    found = {finding: tones.of_version(finding) for finding in get_args(Finding)}
    assert len({verdict.word for verdict in found.values()}) == len(found) == 4
    assert [finding for finding, verdict in found.items() if verdict.tone == GOOD] == ["better"]


def test_only_a_worse_model_is_bad_and_too_little_evidence_is_never_good() -> None:
    assert [tones.of_model(verdict).tone for verdict in ("alert", "ok", "not_enough_evidence")] == [BAD, GOOD, UNSURE]
    assert [tones.of_drift(verdict).tone for verdict in ("drifted", "ok", "not_enough_evidence")] == [
        WARN,
        GOOD,
        UNSURE,
    ]
    assert tones.of_gate("not_enough_evidence").tone == UNSURE


@pytest.mark.parametrize("of", [tones.of_drift, tones.of_model, tones.of_version])
def test_a_step_that_has_not_run_is_waited_for(of) -> None:
    assert (of(None).tone, of(None).word) == (WAITING, "not known yet")


def test_a_verdict_that_is_unknown_is_an_error_and_not_a_colour() -> None:
    for of in (tones.of_drift, tones.of_model, tones.of_version, tones.of_gate, tones.of_chart):
        with pytest.raises(KeyError, match="splendid"):
            of("splendid")


def test_a_feature_that_was_not_tested_is_not_as_usual() -> None:
    said = [tones.of_feature(*found).word for found in ((True, True), (False, True), (False, False))]
    assert said == ["moved", "as usual", "not tested"]


def test_every_tone_has_a_mark_of_its_own() -> None:
    assert set(tones.SYMBOLS) == {BAD, WARN, UNSURE, GOOD, WAITING}
    assert len(set(tones.SYMBOLS.values())) == 5


@pytest.mark.parametrize(
    ("found", "worst"),
    [
        ([GOOD, GOOD], GOOD),
        ([GOOD, WAITING], WAITING),
        ([WAITING, UNSURE], UNSURE),
        ([UNSURE, WARN, GOOD], WARN),
        ([WARN, BAD, WAITING], BAD),
    ],
)
def test_the_worst_tone_wins(found: list[str], worst: str) -> None:
    assert tones.worst(found) == tones.worst(found[::-1]) == worst


def test_the_gate_in_a_line_is_a_sentence_for_each_decision() -> None:
    assert [tones.gate_text(decision) for decision in ("promote", "keep", "not_enough_evidence")] == [
        "gate passed",
        "gate not passed",
        "gate: not enough evidence",
    ]


def test_charts_name_a_verdict_without_its_underscores_and_none_by_a_dash() -> None:
    assert [tones.name(verdict) for verdict in ("not_enough_evidence", "alert", None)] == [
        "not enough evidence", "alert", "–",
    ]  # fmt: skip
    assert [tones.of_chart(verdict) for verdict in ("alert", "drifted", "ok")] == [BAD, WARN, GOOD]
