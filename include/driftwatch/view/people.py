"""What people disagreed about: the images, who takes which class for which, and why answers did not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from driftwatch.labels.annotators import whose_votes_count
from driftwatch.labels.assignments import COUNTED, LATE, REJECTED, VOID
from driftwatch.labels.rejected import poor_annotators
from driftwatch.view.day_images import SCORE, VOTES
from driftwatch.view.shares import whole_percent
from driftwatch.view.words import count

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

TIES, UNCLEAR, AGAINST = "ties", "unclear", "against"
PICTURES_A_PAGE, MOST_PAIRS, MOST_ANNOTATORS = 24, 12, 40
_GROUPS = {
    TIES: ("Ties", "Several answers have as many votes."),
    UNCLEAR: ("Unclear", "Most people could not tell what it shows."),
    AGAINST: ("All people against the model", "Everybody gave the same answer, and the model another one."),
}


@dataclass(frozen=True)
class Disputed:
    """One image. `votes`: how many people gave which answer, in words; `model`: what the model said."""

    image_id: str
    key: str
    votes: str
    model: str


@dataclass(frozen=True)
class Group:
    """The images of one kind, those with the most votes first, and then those of which the model was surest. `found`: how many there are
    in all; `pages`: of how many pages this is one."""

    name: str
    title: str
    about: str
    images: tuple[Disputed, ...]
    found: int
    page: int
    pages: int


@dataclass(frozen=True)
class Confused:
    """How often `truth` was answered as `answer`."""

    truth: str
    answer: str
    n: int
    share: str


@dataclass(frozen=True)
class Person:
    """One annotator: how many answers for images of the sample counted, and which wrong answer was the most frequent."""

    name: str
    answers: int
    control: str
    agrees: str
    confuses: str
    flagged: str


@dataclass(frozen=True)
class Account:
    """What became of some of the answers: how many, and why."""

    answers: int
    pages: int
    fate: str
    why: str


@dataclass(frozen=True)
class People:
    """`control`: confusions on control tasks, whose class is known; `consensus`: on the other images, against the label that the answers of
    all gave. `sum_text`: how the answers add up."""

    groups: list[Group]
    control: list[Confused]
    consensus: list[Confused]
    control_about: str
    consensus_about: str
    persons: list[Person]
    more_persons: int
    accounts: list[Account]
    sum_text: str


def people(
    config: MonitorConfig,
    images: pd.DataFrame,
    assignments: pd.DataFrame | None,
    annotators: pd.DataFrame | None,
    pages: dict[str, int],
) -> People:
    """`images`: `day_images` of the day. `assignments` and `annotators`: the day's tables, None where there are none. `pages`: for each group
    the page that is asked for, from 1."""
    unclear = config.labels.unclear_answer or "unclear"
    groups = [_group(name, images, unclear, config.classes, pages.get(name, 1)) for name in _GROUPS]
    if assignments is None:
        return People(groups, [], [], "", "", [], 0, [], "")
    answers = _with_truth(assignments, images)
    counted = answers[answers["status"].isin(COUNTED)]
    control, sample = counted[counted["control"].astype(bool)], counted[~counted["control"].astype(bool)]
    persons = _persons(annotators, counted)
    accounts = _accounts(assignments, config)
    return People(
        groups,
        _confused(control),
        _confused(sample),
        _about(control, "answers on control tasks, whose class is known"),
        _about(sample, "answers on images that have a label, against that label, which they helped to make"),
        persons[:MOST_ANNOTATORS],
        max(0, len(persons) - MOST_ANNOTATORS),
        accounts,
        f"{count(len(assignments), 'answer')} = {' + '.join(f'{account.answers:,}' for account in accounts)}",
    )


def _group(name: str, images: pd.DataFrame, unclear: str, classes: Sequence[str], page: int) -> Group:
    title, about = _GROUPS[name]
    rows = images[_belongs(name, images)]
    if len(rows):
        sure = [_sure(row) for _, row in rows.iterrows()]
        rows = rows.assign(sure=sure).sort_values(["votes", "sure", "image_id"], ascending=[False, False, True])
    pages = max(1, -(-len(rows) // PICTURES_A_PAGE))
    page = min(max(1, page), pages)
    chosen = rows.iloc[(page - 1) * PICTURES_A_PAGE : page * PICTURES_A_PAGE]
    shown = tuple(_disputed(row, unclear, classes) for _, row in chosen.iterrows())
    return Group(name, title, about, shown, len(rows), page, pages)


def _belongs(name: str, images: pd.DataFrame) -> pd.Series:
    nothing = pd.Series(False, index=images.index)
    if "status" not in images or "votes" not in images:
        return nothing
    if name != AGAINST:
        return images["status"] == {TIES: "tie", UNCLEAR: "unclear"}[name]
    votes = [column for column in images.columns if column.startswith(VOTES)]
    unanimous = images[votes].max(axis=1) == images["votes"]
    return (images["answer"] == "wrong") & unanimous & (images["votes"] > 1)


def _sure(row: pd.Series) -> float:
    score = row.get(f"{SCORE}{row['prediction']}")
    return 0.0 if score is None or pd.isna(score) else float(score)


def _disputed(row: pd.Series, unclear: str, classes: Sequence[str]) -> Disputed:
    given = [(name, row.get(f"{VOTES}{name}", 0)) for name in classes] + [(unclear, row.get(f"{VOTES}unclear", 0))]
    votes = sorted(((name, int(n)) for name, n in given if n), key=lambda vote: -vote[1])
    sure = _sure(row)
    said = "nothing" if not isinstance(row["prediction"], str) else str(row["prediction"])
    model = f"model: {said}{f' ({whole_percent(sure)})' if sure else ''}"
    return Disputed(
        str(row["image_id"]),
        str(row["key"]),
        "people: " + ", ".join(f"{name}\N{NO-BREAK SPACE}{n}" for name, n in votes),
        model,
    )


def _with_truth(assignments: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The answers with what is taken for true: the known class of a control task, else the label that the answers gave; null without."""
    labels = images.set_index("image_id")["label"]
    known = assignments["known_label"].where(assignments["control"].astype(bool), assignments["image_id"].map(labels))
    return assignments.assign(truth=known)


def _confused(answers: pd.DataFrame) -> list[Confused]:
    """The most frequent wrong answers, the unclear one among them."""
    known = answers[answers["truth"].notna()]
    wrong = known[known["answer"] != known["truth"]]
    totals = known["truth"].value_counts()
    pairs = Counter(zip(wrong["truth"], wrong["answer"], strict=True)).most_common(MOST_PAIRS)
    return [Confused(truth, said, n, whole_percent(n / int(totals[truth]))) for (truth, said), n in pairs]


def _about(answers: pd.DataFrame, what: str) -> str:
    known = answers[answers["truth"].notna()]
    if not len(known):
        return ""
    right = int((known["answer"] == known["truth"]).sum())
    return f"{len(known):,} {what}: {whole_percent(right / len(known))} agree."


def _persons(annotators: pd.DataFrame | None, counted: pd.DataFrame) -> list[Person]:
    """The annotators, the flagged ones first, then those with the most answers."""
    if annotators is None:
        return []
    known = counted[counted["truth"].notna()]
    wrong = known[known["answer"] != known["truth"]]
    pairs = {
        who: Counter(zip(rows["truth"], rows["answer"], strict=True)).most_common(1)
        for who, rows in wrong.groupby("annotator_id")
    }
    ordered = annotators.sort_values(["flagged", "answers", "annotator_id"], ascending=[False, False, True])
    return [
        Person(
            name=str(row.annotator_id),
            answers=int(row.answers),
            control=f"{row.control_right} of {row.control_answers}",
            agrees="–" if pd.isna(row.agreement) else whole_percent(row.agreement),
            confuses="".join(f"{truth} as {said} ({n})" for (truth, said), n in pairs.get(row.annotator_id, [])) or "–",
            flagged=str(row.reason) if row.flagged else "",
        )
        for row in ordered.itertuples()
    ]


def _accounts(assignments: pd.DataFrame, config: MonitorConfig) -> list[Account]:
    """What became of every answer; the rejected ones by the reason that the monitor's rules give."""
    control, status = assignments["control"].astype(bool), assignments["status"]
    given = status.isin(COUNTED) & ~control
    counts = pd.Series(assignments.index.isin(whose_votes_count(assignments, config).index), index=assignments.index)
    fates = [
        ("votes", given & counts, "they decide on the labels"),
        ("left out", given & ~counts, "by annotators who failed the control tasks (labels.exclude_flagged)"),
        ("control tasks", status.isin(COUNTED) & control, "they tell how reliable the annotator is"),
        *_rejected(assignments, config),
        ("too late", status == LATE, "they came, or changed, after the day was closed"),
        (
            "no votes",
            status == VOID,
            "an image that was skipped, a choice that is not offered, or a person more than the overlap asks for",
        ),
    ]
    return [
        Account(int(rows.sum()), int(assignments.loc[rows, "assignment_id"].nunique()), fate, why)
        for fate, rows, why in fates
        if rows.any()
    ]


def _rejected(assignments: pd.DataFrame, config: MonitorConfig) -> list[tuple[str, pd.Series, str]]:
    rules = config.labels.quality
    rejected = assignments["status"] == REJECTED
    hasty = rejected & (assignments["seconds"] < rules.fast_seconds)
    poor = rejected & ~hasty & assignments["annotator_id"].isin([*poor_annotators(assignments, rules)])
    told = [
        (hasty, f"answered in less than {rules.fast_seconds} s a page (labels.quality.fast_seconds)"),
        (poor, f"by annotators with fewer than {rules.control_min_correct_percent:g} % of their last control tasks right"),
        (rejected & ~hasty & ~poor, "no rule of the monitor file says why: decided at the label service, or the rules have changed since"),
    ]  # fmt: skip
    return [("rejected", rows, why) for rows, why in told]
