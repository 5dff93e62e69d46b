"""What production's log of a day held, in words."""

from __future__ import annotations

from driftwatch.artifacts.answers import Answers
from driftwatch.view.words import count, listing

_WORDS = {
    "no_file": "of files that did not come",
    "other_day": "of other days",
    "not_judged": "of images that the day is not judged by",
    "unknown_class": "of an unknown class",
    "no_class": "without a class",
    "no_key": "without an image's name",
    "bad_time": "with a time that is none",
    "bad_embedding": "with a broken embedding",
    "scores_missing": "without all scores",
    "score_not_a_number": "with a score that is no number",
    "score_out_of_range": "with a score outside of 0 to 1",
    "scores_do_not_sum_to_1": "whose scores do not sum to 1",
    "wrong_number_of_fields": "with too many or too few fields",
    "no_json": "that are no JSON",
    "cut_line": "cut short",
    "no_response": "without a response",
    "no_payload": "whose payload cannot be read",
    "several_images": "about several images at once",
}
_MOST = 8


def log_rows(found: Answers | None) -> list[tuple[str, str]]:
    """What the report and the day's page say of the log, as names and values; nothing for a day without one."""
    if found is None:
        return []
    rows = [("Production's log", _rows(found)), ("Images it answered", _images(found))]
    if odd := _odd(found):
        rows.append(("Odd in the log", odd))
    if found.before is not None:
        rows.append(("Changed since", _changed(found)))
    return rows


def _rows(found: Answers) -> str:
    parts = [f"{found.used:,} used"]
    if found.earlier:
        parts.append(f"{found.earlier:,} earlier answers")
    if found.without_image:
        parts.append(f"{found.without_image:,} without an image ({row_reasons(found.strangers)})")
    if found.refused:
        parts.append(f"{found.refused:,} refused ({row_reasons(found.reasons)})")
    return f"{count(found.rows, 'row')} of {count(found.files, 'file')} = {' + '.join(parts)}"


def row_reasons(reasons: dict[str, int]) -> str:
    """How many rows have each reason, the most frequent first."""
    most = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return listing([f"{number:,} {_WORDS.get(name, name)}" for name, number in most], _MOST)


def _images(found: Answers) -> str:
    said = f"{found.used:,} of {found.images:,}"
    return f"{said}; {found.unanswered:,} have no answer, and count nowhere" if found.unanswered else said


def _odd(found: Answers) -> str:
    said = []
    if found.unknown_classes:
        said.append(f"unknown classes {listing([*found.unknown_classes], _MOST)}")
    if found.other_case:
        said.append(f"{found.other_case:,} class names in another case")
    if found.not_the_highest:
        said.append(f"{found.not_the_highest:,} answers that are not the class with the highest score")
    if not found.scores:
        said.append("no scores: what needs them is not available")
    return "; ".join(said)


def _changed(found: Answers) -> str:
    then = found.before
    assert then is not None
    return (
        f"an earlier run found {count(then.rows, 'row')} of {count(then.files, 'file')}, used {then.used:,}, and had "
        f"{then.unanswered:,} images without an answer"
    )
