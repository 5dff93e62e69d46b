"""What the words of every alert consist of, and the numbers of those about the model."""

from __future__ import annotations

from dataclasses import dataclass

from driftwatch.artifacts.accuracy import Performance
from driftwatch.view.label_table import labels_line
from driftwatch.view.numbers import percent
from driftwatch.view.segment_accuracy import numbers_by_segment
from driftwatch.view.shares import accuracy_text, share_text
from driftwatch.view.versions import lines, model_name, without_a_part


@dataclass(frozen=True)
class Words:
    """`said`: what happened, without a full stop. `numbers`: at most three, by name, and more where several versions answered, there are segments, or a change goes on. `reasons`: sentences; there may be none."""

    said: str
    numbers: dict[str, str]
    advice: str
    reasons: tuple[str, ...] = ()


def performance_numbers(found: Performance) -> dict[str, str]:
    """The accuracy, the labels and the model, and what segments and versions there are to name."""
    held = found.holdout_accuracy.value
    by_version = {"versions": "; ".join(lines(found))} if found.versions else {}
    return {
        "accuracy": f"{accuracy_text(found.accuracy)} at {percent(found.confidence)} confidence, floor {percent(found.floor)}{_corrected(found)}",
        "labels": f"{labels_line(found)}{without_a_part(found)}){_stands_for(found)}",
        "model": f"{model_name(found, found.model_version)}, "
        + (f"{percent(held)} on its holdout" if held is not None else "without a holdout"),
        **by_version,
        **numbers_by_segment(found),
    }


def _stands_for(found: Performance) -> str:
    part = found.stands_for
    if part is None:
        return ""
    return f"; they stand for {part.images:,} of {part.of:,} images, since the others came late and nobody was asked about them ({part.reason})"


def _corrected(found: Performance) -> str:
    corrected, error = found.corrected, found.label_error
    if corrected is None or corrected.value is None or error is None or error.value is None:
        return ""
    wrong = f"about {percent(error.value)}"
    return f"; corrected for wrong labels ({wrong}) {share_text(corrected)}"
