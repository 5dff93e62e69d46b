"""Merges people's answers into one label for each image, over one vote per annotator and image.

Nothing here depends on the order of rows. Measured on real crowds, d_possent and duck_bluebirds: majority vote .932 (with
`first_class`) and .759, Dawid-Skene .960 and .898, which are the published accuracies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.store import DayStore
from driftwatch.config.labels import TABLE
from driftwatch.errors import DriftwatchError
from driftwatch.labels.aggregation import VoteArrays, dawid_skene, shares, skill, vote_weight
from driftwatch.labels.agreement import deciding, krippendorff_alpha
from driftwatch.labels.annotators import annotator_quality, whose_votes_count
from driftwatch.labels.assignments import COUNTED, REJECTED, given_in_time
from driftwatch.labels.choices import choices, choices_of
from driftwatch.models.as_trained import for_day

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

Method = Literal["majority", "weighted", "dawid_skene"]
OnTie = Literal["abstain", "random_seeded", "first_class"]
UnclearVotes = Literal["rival", "set_aside"]
# Scores that differ by less are a tie: what is left of rounding, and of EM that has converged.
_SAME = 1e-6


@dataclass(frozen=True)
class MergeRules:
    """How answers become labels, as the section `labels` of the monitor file says.

    `classes`: in the monitor file's order. `unclear_answer`: the choice that is no class, None where there is none. `seed`: for ties that
    are drawn. `default_skill`: what `weighted` and `dawid_skene` assume of an annotator without control tasks. `unclear_votes`: whether
    the unclear answer is a `rival` of the classes, or is `set_aside` and the other votes decide.

    >>> rules = MergeRules(["cat", "dog"], unclear_answer="unclear", method="dawid_skene")
    >>> rules.choices
    ['cat', 'dog', 'unclear']
    """

    classes: Sequence[str]
    unclear_answer: str | None = None
    method: Method = "majority"
    on_tie: OnTie = "abstain"
    seed: int = 0
    default_skill: float = 0.8
    unclear_votes: UnclearVotes = "rival"

    @classmethod
    def of(cls, config: MonitorConfig) -> MergeRules:
        annotation = config.labels
        return cls(
            config.classes,
            annotation.unclear_answer,
            annotation.consensus,
            annotation.on_tie,
            annotation.seed,
            annotation.default_skill,
            annotation.unclear_votes,
        )

    @property
    def choices(self) -> list[str]:
        return choices(self.classes, self.unclear_answer)

    @property
    def deciding(self) -> list[str]:
        """The choices whose votes decide."""
        return list(self.classes) if self.unclear_votes == "set_aside" else self.choices


def one_vote_each(answers: pd.DataFrame, offered: Sequence[str]) -> pd.DataFrame:
    """One row for each (task, annotator): where somebody answered a task twice, the answer submitted last counts.

    Without a column `submitted` (ISO-8601 UTC), or at equal times, the one that stands first in `offered`, the choices, counts.
    Raises DriftwatchError for an answer that is not in `offered`.
    """
    position = answers["answer"].map({choice: index for index, choice in enumerate(offered)})
    if position.isna().any():
        row = answers.loc[position.isna(), ["task", "answer"]].sort_values("task").iloc[0]
        raise DriftwatchError(
            f"task {row['task']}: the answer {row['answer']!r} is none of {', '.join(map(repr, offered))}: the pool was made with "
            "other choices than classes and labels.unclear_answer of the monitor file have now; put those back"
        )
    submitted = pd.to_datetime(answers["submitted"], utc=True, format="ISO8601") if "submitted" in answers else 0
    ordered = answers.assign(_submitted=submitted, _position=-position).sort_values(["_submitted", "_position"])
    kept = ordered.drop_duplicates(["task", "annotator"], keep="last")
    return kept[list(answers.columns)].sort_values(["task", "annotator"], ignore_index=True)


def merge_answers(
    answers: pd.DataFrame,
    rules: MergeRules,
    tasks: Sequence[str] | None = None,
    control: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row for each task, sorted by task: task, label, status, votes, confidence, `votes.<class>`, votes.unclear.

    `answers`: task, annotator, answer, and optionally submitted (see `one_vote_each`). `tasks`: the tasks wanted, so that
    unanswered ones have a row too; by default those with an answer. `control`: answers to control tasks (annotator, answer,
    known_label), from which `weighted` and `dawid_skene` learn about annotators.

    Each choice of a task gets a score, in sum 1: its share of the votes (`majority`), of their weights (`weighted`), or its
    probability (`dawid_skene`). The unclear answer is a choice like the others there, but never a label; set aside, it has no score.
    status: `consensus`, one class scores highest; `unclear`, the unclear answer does, or is the only one; `tie`, several do;
    `unanswered`.
    A tie is broken between the classes among the tied choices, and stays a tie by its status: `abstain` gives no label,
    `first_class` the first of `classes`, `random_seeded` one drawn from the seed and the task alone. `votes` counts all
    votes, the unclear ones too; `confidence` is the label's score, NaN without a label.

    >>> answers = [("a", "ann", "cat"), ("a", "bob", "cat"), ("a", "cy", "dog"), ("b", "ann", "dog"), ("b", "bob", "cat")]
    >>> answers = pd.DataFrame(answers, columns=["task", "annotator", "answer"])
    >>> merged = merge_answers(answers, MergeRules(["cat", "dog"]))
    >>> merged[["task", "label", "status", "votes"]].values.tolist()
    [['a', 'cat', 'consensus', 3], ['b', None, 'tie', 2]]
    """
    wanted = sorted(answers["task"].unique() if tasks is None else set(tasks))
    cast = one_vote_each(answers[answers["task"].isin(wanted)], rules.choices)
    votes, known = _as_arrays(cast, wanted, rules.choices, control)
    counts, classes = votes.tally().astype("int64"), len(rules.classes)
    if rules.unclear_votes == "set_aside":
        votes, known = _as_arrays(cast[cast["answer"].isin(rules.deciding)], wanted, rules.deciding, control)
    score = _scores(votes, known, rules)
    by_class, unclear = score[:, :classes], score[:, classes:].sum(axis=1)
    if rules.unclear_votes == "set_aside":
        unclear = (counts[:, :classes].sum(axis=1) == 0).astype(float)
    status, leading = _statuses(by_class, unclear, counts.sum(axis=1) > 0)
    chosen = np.full(len(wanted), -1)
    for index, task in enumerate(wanted):
        if status[index] == "consensus" or (status[index] == "tie" and rules.on_tie != "abstain"):
            tied = np.flatnonzero(leading[index])
            chosen[index] = tied[_draw(rules.seed, task, len(tied)) if rules.on_tie == "random_seeded" else 0]
    return pd.DataFrame(
        {
            "task": pd.Series(wanted, dtype="object"),
            "label": pd.Series([rules.classes[place] if place >= 0 else None for place in chosen], dtype="object"),
            "status": pd.Series(status, dtype="object"),
            "votes": counts.sum(axis=1),
            "confidence": np.where(chosen >= 0, score[np.arange(len(wanted)), chosen], np.nan),
            **{f"votes.{name}": counts[:, index] for index, name in enumerate(rules.classes)},
            "votes.unclear": counts[:, classes:].sum(axis=1),
        }
    )


def _statuses(by_class: np.ndarray, unclear: np.ndarray, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The status of each task, and which classes lead it, [tasks, classes]. `unclear`: the score of the unclear answer."""
    most = by_class.max(axis=1, initial=0)
    leading = by_class >= most[:, None] - _SAME
    status = np.select(
        [~answered, unclear > most + _SAME, (leading.sum(axis=1) > 1) | (unclear >= most - _SAME)],
        ["unanswered", "unclear", "tie"],
        "consensus",
    )
    return status, leading


def _as_arrays(
    cast: pd.DataFrame, tasks: Sequence[str], offered: Sequence[str], control: pd.DataFrame | None
) -> tuple[VoteArrays, np.ndarray]:
    """The votes, and the answers to control tasks as counts [annotators, truth, choice]."""
    control = pd.DataFrame(columns=["annotator", "answer", "known_label"]) if control is None else control
    names, places = pd.Index(sorted({*cast["annotator"], *control["annotator"]})), pd.Index(offered)
    known = np.zeros((len(names), len(offered), len(offered)))
    columns = [(names, "annotator"), (places, "known_label"), (places, "answer")]
    seen = np.array([index.get_indexer(control[column]) for index, column in columns], dtype=int)
    # A control task of a class that the monitor no longer has tells nothing.
    np.add.at(known, tuple(seen[:, (seen >= 0).all(axis=0)]), 1)
    votes = VoteArrays(
        pd.Index(tasks).get_indexer(cast["task"]),
        names.get_indexer(cast["annotator"]),
        places.get_indexer(cast["answer"]),
        len(tasks),
        len(names),
        len(offered),
    )
    return votes, known


def _scores(votes: VoteArrays, known: np.ndarray, rules: MergeRules) -> np.ndarray:
    """What speaks for each choice, [tasks, choices], in sum 1 for each answered task."""
    if rules.method == "dawid_skene":
        return dawid_skene(votes, known, rules.default_skill)
    if rules.method == "majority":
        return shares(votes.tally())
    right = np.trace(known, axis1=1, axis2=2)
    weight = vote_weight(skill(right, known.sum(axis=(1, 2)), rules.default_skill), len(rules.classes))
    return shares(votes.tally(weight[votes.annotator]))


def _draw(seed: int, task: str, options: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{task}".encode()).digest()[:8], "big") % options


def counted_votes(assignments: pd.DataFrame, sample: Sequence[str], config: MonitorConfig) -> pd.DataFrame:
    """The votes in assignments.parquet, as task, annotator, answer, submitted: one for each annotator and image.

    Votes are answers for images of the sample, on pages that are SUBMITTED or ACCEPTED. Control tasks and REJECTED pages do not vote.
    """
    voting = (
        assignments["status"].isin(COUNTED)
        & ~assignments["control"].astype(bool)
        & assignments["image_id"].isin(set(sample))
    )
    answers = assignments.loc[voting, ["image_id", "annotator_id", "answer", "submitted"]]
    answers = answers.rename(columns={"image_id": "task", "annotator_id": "annotator"})
    return one_vote_each(answers, choices_of(config))


def control_answers(assignments: pd.DataFrame) -> pd.DataFrame:
    """The answers to control tasks in assignments.parquet: annotator, answer, known_label; those of rejected pages, too."""
    control = assignments.loc[assignments["control"].astype(bool), ["annotator_id", "answer", "known_label"]]
    return control.rename(columns={"annotator_id": "annotator"})


def unanimous(labels: pd.DataFrame) -> pd.Series:
    """Whether each row of labels.parquet has a label that every vote gave, whatever method merged them."""
    given = [row[f"votes.{row['label']}"] if isinstance(row["label"], str) else -1 for _, row in labels.iterrows()]
    return pd.Series(given, index=labels.index, dtype="int64") == labels["votes"]


@dataclass(frozen=True)
class DayLabels:
    """What merge_day found, as counts: sampled = consensus + tie + unclear + unanswered."""

    method: Method
    """How answers became labels."""
    sampled: int
    """Images that were asked about."""
    consensus: int
    tie: int
    unclear: int
    unanswered: int
    labelled: int
    """Images with a label."""
    votes: int
    """Votes that count, the unclear ones too."""
    unclear_votes: int
    alpha: float | None
    """Krippendorff's; None where it is undefined."""
    annotators: int
    flagged: int
    """Annotators who look like guessing."""
    excluded: int
    """Those of them whose votes are left out, by `labels.exclude_flagged`."""
    rejected_pages: int


def merge_day(day: DayStore, sample: Sequence[str]) -> DayLabels:
    """Reads assignments.parquet; writes labels.parquet, one row for each image of the sample, and annotators.parquet.

    `sample`: the image ids that were asked about. Flagged annotators are named, but their votes count, unless `labels.exclude_flagged`
    leaves out those of whom the control tasks say it. The control tasks alone decide that, so that the same answers always give the
    same labels.
    """
    day = day.with_config(for_day(day))
    assignments = given_in_time(day.storage.read_table(day.keys.assignments))
    counting = whose_votes_count(assignments, day.config)
    votes = counted_votes(counting, sample, day.config)
    labels = merge_answers(votes, MergeRules.of(day.config), sample, control_answers(counting))
    annotators = annotator_quality(counted_votes(assignments, sample, day.config), assignments, day.config)
    day.storage.write_table(day.keys.labels, labels.rename(columns={"task": "image_id"}))
    day.storage.write_table(day.keys.annotators, annotators)
    if day.config.labels.backend != TABLE:  # the day's labels are people's now, whoever gave those before
        day.storage.delete(day.key(LabelTable))
    by_status = labels["status"].value_counts()
    pages = assignments.drop_duplicates("assignment_id")
    alpha = krippendorff_alpha(deciding(votes, day.config))
    return DayLabels(
        method=day.config.labels.consensus,
        sampled=len(labels),
        consensus=int(by_status.get("consensus", 0)),
        tie=int(by_status.get("tie", 0)),
        unclear=int(by_status.get("unclear", 0)),
        unanswered=int(by_status.get("unanswered", 0)),
        labelled=int(labels["label"].notna().sum()),
        votes=int(labels["votes"].sum()),
        unclear_votes=int(labels["votes.unclear"].sum()),
        alpha=None if alpha is None else round(alpha, 4),
        annotators=len(annotators),
        flagged=int(annotators["flagged"].sum()),
        excluded=int(annotators["excluded"].sum()) if "excluded" in annotators else 0,
        rejected_pages=int((pages["status"] == REJECTED).sum()),
    )
