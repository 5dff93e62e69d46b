"""Merges people's answers into one label for each image, over one vote per annotator and image.

Nothing here depends on the order of rows. Measured on real crowds, d_possent and duck_bluebirds: majority vote .932 (with
`first_class`) and .759, Dawid-Skene .960 and .898, which are the published accuracies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import DriftwatchError
from driftwatch.labels.aggregation import Votes, dawid_skene, shares, skill, vote_weight
from driftwatch.labels.annotators import annotator_quality
from driftwatch.labels.backends.toloka.collect import COUNTED
from driftwatch.models.as_trained import for_day

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

Method = Literal["majority", "weighted", "dawid_skene"]
OnTie = Literal["abstain", "random_seeded", "first_class"]
# Scores that differ by less are a tie: what is left of rounding, and of EM that has converged.
_SAME = 1e-6


def one_vote_each(answers: pd.DataFrame, allowed: Sequence[str]) -> pd.DataFrame:
    """One row for each (task, annotator): where somebody answered a task twice, the answer submitted last counts.

    Without a column `submitted` (ISO-8601 UTC), or at equal times, the one that stands first in `allowed` counts.
    Raises DriftwatchError for an answer that is not in `allowed`.
    """
    position = answers["answer"].map({answer: index for index, answer in enumerate(allowed)})
    if position.isna().any():
        row = answers.loc[position.isna(), ["task", "answer"]].sort_values("task").iloc[0]
        raise DriftwatchError(
            f"task {row['task']}: the answer {row['answer']!r} is none of {', '.join(map(repr, allowed))}: the pool was made with "
            "other answers than classes and annotation.unclear_answer of the monitor file have now; put those back"
        )
    submitted = pd.to_datetime(answers["submitted"], utc=True, format="ISO8601") if "submitted" in answers else 0
    ordered = answers.assign(_submitted=submitted, _position=-position).sort_values(["_submitted", "_position"])
    kept = ordered.drop_duplicates(["task", "annotator"], keep="last")
    return kept[list(answers.columns)].sort_values(["task", "annotator"], ignore_index=True)


def merge_answers(
    answers: pd.DataFrame,
    classes: Sequence[str],
    on_tie: OnTie = "abstain",
    seed: int = 0,
    unclear_answer: str | None = None,
    tasks: Sequence[str] | None = None,
    method: Method = "majority",
    control: pd.DataFrame | None = None,
    default_skill: float = 0.8,
) -> pd.DataFrame:
    """One row for each task, sorted by task: task, label, status, votes, confidence, `votes.<class>`, votes.unclear.

    `answers`: task, annotator, answer, and optionally submitted (see `one_vote_each`). `tasks`: the tasks wanted, so that
    unanswered ones have a row too; by default those with an answer. `control`: answers to control tasks (annotator, answer,
    known_label), from which `weighted` and `dawid_skene` learn about annotators; `default_skill` is what they assume of one without.

    Each answer of a task gets a score, in sum 1: its share of the votes (`majority`), of their weights (`weighted`), or its
    probability (`dawid_skene`). The unclear answer is an answer like the others there, but never a label.
    status: `consensus`, one class scores highest; `unclear`, the unclear answer does; `tie`, several do; `unanswered`.
    A tie is broken between the classes among the tied answers, and stays a tie by its status: `abstain` gives no label,
    `first_class` the first of `classes`, `random_seeded` one drawn from the seed and the task alone. `votes` counts all
    answers, the unclear ones too; `confidence` is the label's score, NaN without a label.
    """
    allowed = [*classes] if unclear_answer is None else [*classes, unclear_answer]
    wanted = sorted(answers["task"].unique() if tasks is None else set(tasks))
    votes, known = _as_arrays(one_vote_each(answers[answers["task"].isin(wanted)], allowed), wanted, allowed, control)
    counts = votes.tally().astype("int64")
    score = _scores(votes, known, method, len(classes), default_skill)
    by_class, unclear = score[:, : len(classes)], score[:, len(classes) :].sum(axis=1)
    most = by_class.max(axis=1, initial=0)
    leading = by_class >= most[:, None] - _SAME
    answered = counts.sum(axis=1) > 0
    status = np.select(
        [~answered, unclear > most + _SAME, (leading.sum(axis=1) > 1) | (unclear >= most - _SAME)],
        ["unanswered", "unclear", "tie"],
        "consensus",
    )
    chosen = np.full(len(wanted), -1)
    for index, task in enumerate(wanted):
        if status[index] == "consensus" or (status[index] == "tie" and on_tie != "abstain"):
            tied = np.flatnonzero(leading[index])
            chosen[index] = tied[_draw(seed, task, len(tied)) if on_tie == "random_seeded" else 0]
    return pd.DataFrame(
        {
            "task": pd.Series(wanted, dtype="object"),
            "label": pd.Series([classes[place] if place >= 0 else None for place in chosen], dtype="object"),
            "status": pd.Series(status, dtype="object"),
            "votes": counts.sum(axis=1),
            "confidence": np.where(chosen >= 0, score[np.arange(len(wanted)), chosen], np.nan),
            **{f"votes.{name}": counts[:, index] for index, name in enumerate(classes)},
            "votes.unclear": counts[:, len(classes) :].sum(axis=1),
        }
    )


def _as_arrays(
    cast: pd.DataFrame, tasks: Sequence[str], allowed: Sequence[str], control: pd.DataFrame | None
) -> tuple[Votes, np.ndarray]:
    """The votes, and the control answers as counts [annotators, truth, answer]."""
    control = pd.DataFrame(columns=["annotator", "answer", "known_label"]) if control is None else control
    names, places = pd.Index(sorted({*cast["annotator"], *control["annotator"]})), pd.Index(allowed)
    known = np.zeros((len(names), len(allowed), len(allowed)))
    columns = [(names, "annotator"), (places, "known_label"), (places, "answer")]
    seen = np.array([index.get_indexer(control[column]) for index, column in columns], dtype=int)
    # A control task of a class that the monitor no longer has tells nothing.
    np.add.at(known, tuple(seen[:, (seen >= 0).all(axis=0)]), 1)
    votes = Votes(
        pd.Index(tasks).get_indexer(cast["task"]),
        names.get_indexer(cast["annotator"]),
        places.get_indexer(cast["answer"]),
        len(tasks),
        len(names),
        len(allowed),
    )
    return votes, known


def _scores(votes: Votes, known: np.ndarray, method: Method, classes: int, default_skill: float) -> np.ndarray:
    """What speaks for each answer, [tasks, answers], in sum 1 for each answered task."""
    if method == "dawid_skene":
        return dawid_skene(votes, known, default_skill)
    if method == "majority":
        return shares(votes.tally())
    right = np.trace(known, axis1=1, axis2=2)
    weight = vote_weight(skill(right, known.sum(axis=(1, 2)), default_skill), classes)
    return shares(votes.tally(weight[votes.annotator]))


def _draw(seed: int, task: str, options: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{task}".encode()).digest()[:8], "big") % options


def krippendorff_alpha(answers: pd.DataFrame) -> float | None:
    """Krippendorff's alpha for nominal answers (task, annotator, answer): 1 is full agreement, 0 what chance gives.

    None where it is undefined: no task with two answers, or a single answer throughout. Every answer is a category, the
    unclear one too. Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
    """
    counts = pd.crosstab(answers["task"], answers["answer"]).to_numpy(dtype=float)
    size = counts.sum(axis=1)
    counts, size = counts[size > 1], size[size > 1]
    total = size.sum()
    by_answer = counts.sum(axis=0)
    expected = (total**2 - (by_answer**2).sum()) / max(total - 1, 1)
    if expected == 0:
        return None
    observed = ((size**2 - (counts**2).sum(axis=1)) / (size - 1)).sum()
    return float(1 - observed / expected)


def counted_votes(assignments: pd.DataFrame, sample: Sequence[str], config: MonitorConfig) -> pd.DataFrame:
    """The votes in assignments.parquet, as task, annotator, answer, submitted: one for each annotator and image.

    Answers to images of the sample on pages that are SUBMITTED or ACCEPTED; neither control tasks nor REJECTED pages vote.
    """
    voting = (
        assignments["status"].isin(COUNTED)
        & ~assignments["control"].astype(bool)
        & assignments["image_id"].isin(set(sample))
    )
    answers = assignments.loc[voting, ["image_id", "annotator_id", "answer", "submitted"]]
    unclear = config.annotation.unclear_answer
    allowed = [*config.classes] if unclear is None else [*config.classes, unclear]
    return one_vote_each(answers.rename(columns={"image_id": "task", "annotator_id": "annotator"}), allowed)


def control_answers(assignments: pd.DataFrame) -> pd.DataFrame:
    """The answers to control tasks in assignments.parquet: annotator, answer, known_label; those of rejected pages, too."""
    control = assignments.loc[assignments["control"].astype(bool), ["annotator_id", "answer", "known_label"]]
    return control.rename(columns={"annotator_id": "annotator"})


def unanimous(labels: pd.DataFrame) -> pd.Series:
    """Whether each row of labels.parquet has a label that every vote gave, whatever method merged them."""
    given = [row[f"votes.{row['label']}"] if isinstance(row["label"], str) else -1 for _, row in labels.iterrows()]
    return pd.Series(given, index=labels.index, dtype="int64") == labels["votes"]


def merge_day(day: DayStore, sample: Sequence[str]) -> dict[str, Any]:
    """Reads assignments.parquet; writes labels.parquet, one row for each image of the sample, and annotators.parquet.

    `sample`: the image ids that were asked about. Flagged annotators are named, but their votes count: the pool's quality
    rules decide whom to reject, so that the same answers always give the same labels.
    Returns the method and the counts: sampled = consensus + tie + unclear + unanswered; labelled, votes, of them
    unclear_votes, alpha (None where undefined), annotators, flagged, rejected_pages, and spent in USD, rewards with the fee.
    """
    day = day.with_config(for_day(day))
    settings = day.config.annotation
    assignments = day.storage.read_table(day.keys.assignments)
    votes = counted_votes(assignments, sample, day.config)
    labels = merge_answers(
        votes,
        day.config.classes,
        settings.on_tie,
        settings.seed,
        settings.unclear_answer,
        sample,
        settings.consensus,
        control_answers(assignments),
        settings.default_skill,
    )
    annotators = annotator_quality(votes, assignments, day.config)
    day.storage.write_table(day.keys.labels, labels.rename(columns={"task": "image_id"}))
    day.storage.write_table(day.keys.annotators, annotators)
    by_status = labels["status"].value_counts()
    pages = assignments.drop_duplicates("assignment_id")
    paid = pages.loc[pages["status"].isin(COUNTED), "reward"].sum()
    alpha = krippendorff_alpha(votes)
    return {
        "method": settings.consensus,
        "sampled": len(labels),
        **{status: int(by_status.get(status, 0)) for status in ("consensus", "tie", "unclear", "unanswered")},
        "labelled": int(labels["label"].notna().sum()),
        "votes": int(labels["votes"].sum()),
        "unclear_votes": int(labels["votes.unclear"].sum()),
        "alpha": None if alpha is None else round(alpha, 4),
        "annotators": len(annotators),
        "flagged": int(annotators["flagged"].sum()),
        "rejected_pages": int((pages["status"] == "REJECTED").sum()),
        "spent": round(float(paid) * (1 + settings.fee_share), 4),
    }
