"""How good each annotator of a day was: on control tasks, against the others, and in haste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binom

from driftwatch.config.labels import LABEL_STUDIO
from driftwatch.labels.aggregation import skill
from driftwatch.labels.agreement import deciding
from driftwatch.labels.assignments import COUNTED, REJECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftwatch.config import MonitorConfig, QualityRules

# The chance that an annotator who is good enough is flagged, for each of the reasons that rest on a test.
FALSE_FLAG_RATE = 0.01
# What a page is where each image is a page of its own: `fast_seconds` is for a page of about ten.
ONE_IMAGE = 0.1


def whose_votes_count(assignments: pd.DataFrame, config: MonitorConfig) -> pd.DataFrame:
    """The rows of assignments.parquet by annotators whose votes count: all, or, where `labels.exclude_flagged` says so, those whom the
    control tasks do not flag. Nothing else that people answered plays a part."""
    if not config.labels.exclude_flagged:
        return assignments
    return assignments[~assignments["annotator_id"].isin(_failed_control(assignments, config.labels.quality))]


def _failed_control(assignments: pd.DataFrame, rules: QualityRules) -> list[str]:
    control = assignments[assignments["control"].astype(bool) & assignments["status"].isin((*COUNTED, REJECTED))]
    right = (control["answer"] == control["known_label"]).groupby(control["annotator_id"])
    return [str(name) for name, found in right if _too_few_right(int(found.sum()), len(found), rules)]


def _too_few_right(right: int, seen: int, rules: QualityRules) -> bool:
    """Whether an annotator has significantly fewer control tasks right than are wanted."""
    return bool(seen and binom.cdf(right, seen, rules.control_min_correct_percent / 100) < FALSE_FLAG_RATE)


def annotator_quality(votes: pd.DataFrame, assignments: pd.DataFrame, config: MonitorConfig) -> pd.DataFrame:
    """One row for each annotator, sorted by id; the columns of annotators.parquet.

    `votes`: the counted votes (task, annotator, answer), one for each annotator and task. `assignments`: assignments.parquet,
    for control tasks and times; a rejected page tells about its annotator, too.

    answers: counted votes. unclear_answers: those of them that are the unclear answer. control_answers, control_right: control
    tasks seen and right; the unclear answer is wrong there. skill: the chance of a right answer that follows from them.
    agreement: share of votes equal to the answer that most *others* gave, where there is a single such answer; NaN without.
    Where `labels.unclear_votes` sets the unclear answers aside, they count neither for the skill nor for the agreement.
    seconds_median: seconds for a page. flagged, reason: "" or why this looks like guessing:
    - control tasks: significantly fewer right than `control_min_correct_percent`;
    - agreement: significantly below the middle between guessing and what the other annotators reach;
    - the same answer throughout, which the others' answers make implausible;
    - pages faster than `fast_seconds`; in Label Studio, where each image is a page of its own, a tenth of it.
    A test is one-sided and binomial, at FALSE_FLAG_RATE: with few answers nobody is flagged by it.
    excluded, only with `labels.exclude_flagged`: flagged for the control tasks, so the votes are left out.
    """
    classes, rules = config.classes, config.labels.quality
    control = assignments[assignments["control"].astype(bool)]
    control = control.assign(right=control["answer"] == control["known_label"])
    telling, control = (table.groupby("annotator_id")["right"] for table in (deciding(control, config), control))
    pages = assignments.drop_duplicates("assignment_id").groupby("annotator_id")["seconds"].median()
    compared = _agreement(deciding(votes, config))
    table = pd.DataFrame({"annotator_id": sorted(assignments["annotator_id"].unique())}).astype(
        {"annotator_id": "object"}
    )
    ids = table["annotator_id"]
    table["answers"] = ids.map(votes.groupby("annotator").size()).fillna(0).astype("int64")
    unclear = votes[votes["answer"] == config.labels.unclear_answer]
    table["unclear_answers"] = ids.map(unclear.groupby("annotator").size()).fillna(0).astype("int64")
    table["control_answers"] = ids.map(control.size()).fillna(0).astype("int64")
    table["control_right"] = ids.map(control.sum()).fillna(0).astype("int64")
    right, seen = (ids.map(found).fillna(0).astype("int64") for found in (telling.sum(), telling.size()))
    table["skill"] = skill(right, seen, config.labels.default_skill)
    table["agreement"] = ids.map(compared["agreed"] / compared["compared"]).astype("float64")
    table["seconds_median"] = ids.map(pages).astype("float64")
    least = rules.fast_seconds * (ONE_IMAGE if config.labels.people == LABEL_STUDIO else 1)
    reasons = [_reasons(row, votes, compared, classes, rules, least) for row in table.itertuples(index=False)]
    table["flagged"] = np.array([bool(found) for found in reasons], dtype=bool)
    table["reason"] = pd.Series(["; ".join(found) for found in reasons], dtype="object")
    if config.labels.exclude_flagged:
        table["excluded"] = ids.isin(_failed_control(assignments, rules)).to_numpy(dtype=bool)
    return table


def _agreement(votes: pd.DataFrame) -> pd.DataFrame:
    """For each annotator: votes compared with what most others answered, and those that agreed."""
    task, tasks = pd.factorize(votes["task"])
    answer, answers = pd.factorize(votes["answer"])
    counts = np.zeros((len(tasks), max(len(answers), 1)), dtype=int)
    np.add.at(counts, (task, answer), 1)
    others = counts[task]
    others[np.arange(len(votes)), answer] -= 1
    most = others.max(axis=1, initial=0)
    single = (most > 0) & ((others == most[:, None]).sum(axis=1) == 1)
    agreed = single & (others[np.arange(len(votes)), answer] == most)
    frame = pd.DataFrame({"annotator": votes["annotator"].to_numpy(), "compared": single, "agreed": agreed})
    return frame.groupby("annotator")[["compared", "agreed"]].sum()


def _reasons(
    row, votes: pd.DataFrame, compared: pd.DataFrame, classes: Sequence[str], rules: QualityRules, least: float
) -> list[str]:
    found = []
    wanted = rules.control_min_correct_percent / 100
    if _too_few_right(row.control_right, row.control_answers, rules):
        found.append(f"{row.control_right} of {row.control_answers} control tasks right, {wanted:.0%} are wanted")
    if row.answers and row.annotator_id in compared.index:
        mine, rest = compared.loc[row.annotator_id], compared.drop(row.annotator_id).sum()
        if mine["compared"] and rest["compared"]:
            usual = rest["agreed"] / rest["compared"]
            bar = (usual + 1 / len(classes)) / 2
            if binom.cdf(mine["agreed"], mine["compared"], bar) < FALSE_FLAG_RATE:
                found.append(
                    f"agrees with the others on {mine['agreed']} of {mine['compared']} images, they on {usual:.0%}"
                )
    if row.answers:
        is_mine = votes["annotator"] == row.annotator_id
        given = votes.loc[is_mine, "answer"].unique()
        if len(given) == 1 and (~is_mine).any():
            others = votes.loc[~is_mine, "answer"].value_counts(normalize=True)
            # The chance of giving any one answer throughout: a single answer, however rare, is no pattern.
            if (others**row.answers).sum() < FALSE_FLAG_RATE:
                share = others.get(given[0], 0.0)
                found.append(f"answered {given[0]!r} on all {row.answers} images, the others on {share:.0%}")
    if row.seconds_median < least:
        found.append(f"{row.seconds_median:.3g} s for a page, {least:.3g} s is the least that is plausible")
    return found
