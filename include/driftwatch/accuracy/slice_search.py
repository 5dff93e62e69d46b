"""Where the model is wrong most often: a search over slices that nobody named, which says how often it finds one by chance.

A slice is the images with one property (camera door-17), or with two (camera door-17 and light night). Each slice has the likelihood
ratio of "the model is wrong here more often" against "as often as anywhere" (the scan statistic: Kulldorff, 1997), with the wrong answers
that its images would have at the rate of their days. Whichever of thousands of slices looks worst, looks bad by chance too. So the answers' being
right or wrong is dealt anew among the images of each day, some hundred times, and the worst slice must be worse than that of nearly all of these
(max-statistic: Westfall and Young, 1993). That holds the chance of any false slice, whatever the slices have in common.

Slices of two properties are many more than those of one. They are handicapped by the log of how many more, so that each kind has about half of the chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import xlogy

PERMUTATIONS = 499
# Slices at once: what keeps a chunk's tables in some tens of megabytes.
_CHUNK = 256


@dataclass(frozen=True)
class Factor:
    """One way to divide the labelled images. `of_image` [images]: the place of each image's value in `values`, -1 where it is unknown."""

    name: str
    values: tuple[str, ...]
    of_image: np.ndarray


@dataclass(frozen=True)
class Answers:
    """What is searched. `wrong` [images]: 1.0 where label and answer differ; `weight` [images]: how many images each stands for, 1 on
    average; `day` [images]: the place of its day, from 0."""

    wrong: np.ndarray
    weight: np.ndarray
    day: np.ndarray

    def without(self, members: np.ndarray) -> Answers:
        return Answers(self.wrong[~members], self.weight[~members], self.day[~members])


@dataclass(frozen=True)
class WrongSlice:
    """A slice that the model is wrong in more often. `where`: its properties, factor and value; `members` bool [images];
    `p_value`: the chance of a slice that looks as bad, anywhere in the search, where there is none. `least_share`: with a smaller share of
    wrong answers the slice would not have been told; whoever states its accuracy has to reckon with that."""

    where: tuple[tuple[str, str], ...]
    members: np.ndarray
    p_value: float
    least_share: float


def wrong_slices(
    answers: Answers, factors: Sequence[Factor], alpha: float, least: int, most: int, permutations: int = PERMUTATIONS
) -> list[WrongSlice]:
    """The worst slice, then the worst of the images outside it, and so on, at most `most`; the search ends where the worst one may be
    chance. `alpha`: the chance of any where there is none; `least`: the labelled images that a slice has at least, and leaves outside."""
    found: list[WrongSlice] = []
    left = everywhere = np.arange(len(answers.wrong))
    while len(found) < most:
        worst = worst_slice(answers, factors, alpha, least, permutations)
        if worst is None or worst.p_value > alpha:
            break
        inside = worst.members
        found.append(replace(worst, members=np.isin(everywhere, left[inside])))
        left, answers = left[~inside], answers.without(inside)
        factors = [replace(each, of_image=each.of_image[~inside]) for each in factors]
    return found


def worst_slice(
    answers: Answers, factors: Sequence[Factor], alpha: float, least: int, permutations: int = PERMUTATIONS
) -> WrongSlice | None:
    """The slice that looks worst, chance or not; None where there is nothing to compare. Arguments as for `wrong_slices`."""
    atoms = _atoms(factors, least)
    if not len(atoms.members) or not 0 < answers.wrong.sum() < len(answers.wrong):
        return None
    slices = [*((place, place) for place in range(len(atoms.members))), *_pairs(atoms, least)]
    handicap = float(np.log(max((len(slices) - len(atoms.members)) / len(atoms.members), 1.0)))
    dealt = _dealt(answers, permutations)
    best, highest = (-np.inf, 0), np.full(permutations, -np.inf)
    for start in range(0, len(slices), _CHUNK):
        one, other = np.array(slices[start : start + _CHUNK]).T
        ratios = _ratios(_tables(atoms.members[one] & atoms.members[other], dealt))
        ratios[one != other] -= handicap
        place = int(ratios[:, 0].argmax())
        best = max(best, (float(ratios[place, 0]), -(start + place)))
        np.maximum(highest, ratios[:, 1:].max(axis=0), out=highest)
    one, other = slices[-best[1]]
    members = atoms.members[one] & atoms.members[other]
    needed = np.sort(highest)[-max(int(alpha * (1 + permutations)), 1)] + (handicap if one != other else 0.0)
    return WrongSlice(
        where=tuple(atoms.names[place] for place in dict.fromkeys((one, other))),
        members=members,
        p_value=(1 + int((highest >= best[0] - 1e-9).sum())) / (1 + permutations),
        least_share=_least_share(_tables(members[None, :], dealt), needed),
    )


@dataclass(frozen=True)
class _Atoms:
    """Slices of one property: `members` bool [atoms, images], the `factor` of each by its place, and its name and value."""

    members: np.ndarray
    factor: np.ndarray
    names: tuple[tuple[str, str], ...]


def _atoms(factors: Sequence[Factor], least: int) -> _Atoms:
    """Those that have enough images, and leave enough outside."""
    rows, of, names = [], [], []
    for place, factor in enumerate(factors):
        for value, name in enumerate(factor.values):
            members = factor.of_image == value
            if least <= members.sum() <= len(members) - least:
                rows.append(members)
                of.append(place)
                names.append((factor.name, name))
    return _Atoms(np.array(rows, dtype=bool), np.array(of), tuple(names))


def _pairs(atoms: _Atoms, least: int) -> Iterator[tuple[int, int]]:
    """The pairs of two factors' atoms with enough images, without those that are one of the two."""
    as_numbers = atoms.members.astype(np.float32)
    together = as_numbers @ as_numbers.T
    alone = np.diag(together)
    smaller = np.minimum(alone[:, None], alone[None, :])
    use = (together >= least) & (together < smaller) & (atoms.factor[:, None] < atoms.factor[None, :])
    yield from map(tuple, np.argwhere(use).tolist())


@dataclass(frozen=True)
class _Dealt:
    """`answers` as they are and dealt anew: `mass` [images, 1 + permutations], the weight of wrong answers; `rate` [days, 1 + permutations],
    their share of a day's weight; `weight` [images, days]: each image's weight, in the column of its day."""

    mass: np.ndarray
    rate: np.ndarray
    weight: np.ndarray


def _dealt(answers: Answers, permutations: int) -> _Dealt:
    """Days keep their wrong answers. The images of a day are dealt from in a fixed order, wrong ones last."""
    rng = np.random.default_rng(17)
    days = int(answers.day.max()) + 1
    weight = np.zeros((len(answers.wrong), days))
    weight[np.arange(len(answers.wrong)), answers.day] = answers.weight
    wrong = np.empty((len(answers.wrong), 1 + permutations), dtype=np.float32)
    wrong[:, 0] = answers.wrong
    for day in range(days):
        rows = np.flatnonzero(answers.day == day)
        ordered = np.sort(answers.wrong[rows]).astype(np.float32)
        wrong[rows, 1:] = rng.permuted(np.tile(ordered, (permutations, 1)), axis=1).T
    mass = wrong * answers.weight.astype(np.float32)[:, None]
    total = np.maximum(weight.sum(axis=0), 1e-12)
    rate = (weight > 0).T.astype(np.float64) @ mass / total[:, None]
    return _Dealt(mass, rate, weight)


@dataclass(frozen=True)
class _Tables:
    """By slice and dealing: `wrong`, the weight of wrong answers in the slice, and `expected`, what it would be at the rate of its days.
    `images`: the weight of the slice; `all_wrong`, `all_images`: those of all images."""

    wrong: np.ndarray
    expected: np.ndarray
    images: np.ndarray
    all_wrong: np.ndarray
    all_images: float


def _tables(members: np.ndarray, dealt: _Dealt) -> _Tables:
    """`members` bool [slices, images]."""
    inside = members.astype(np.float32)
    by_day = inside.astype(np.float64) @ dealt.weight
    return _Tables(
        wrong=(inside @ dealt.mass).astype(np.float64),
        expected=by_day @ dealt.rate,
        images=by_day.sum(axis=1, keepdims=True),
        all_wrong=dealt.mass.sum(axis=0, dtype=np.float64),
        all_images=float(dealt.weight.sum()),
    )


def _ratios(tables: _Tables) -> np.ndarray:
    """The log likelihood ratio of each slice, [slices, 1 + permutations]; 0 where it has no more wrong answers than its days would give it."""
    wrong, expected, images = tables.wrong, tables.expected, tables.images
    outside = tables.all_images - images
    cells = (
        (wrong, expected),
        (images - wrong, images - expected),
        (tables.all_wrong - wrong, tables.all_wrong - expected),
        (outside - tables.all_wrong + wrong, outside - tables.all_wrong + expected),
    )
    ratio = np.zeros_like(expected)
    for seen, usual in cells:
        ratio += xlogy(np.maximum(seen, 0), np.maximum(seen, 1e-9) / np.maximum(usual, 1e-9))
    return np.where(wrong > expected, ratio, 0.0)


def _least_share(of_slice: _Tables, needed: float) -> float:
    """The smallest share of wrong answers with which one slice would have the ratio `needed`, all else as it is."""
    wrong, images = float(of_slice.wrong[0, 0]), float(of_slice.images[0, 0])
    fewer = np.linspace(0, wrong, 201)[None, :]
    all_wrong = float(of_slice.all_wrong[0]) - wrong + fewer[0]
    expected = float(of_slice.expected[0, 0]) / float(of_slice.all_wrong[0]) * all_wrong[None, :]
    enough = _ratios(_Tables(fewer, expected, np.array([[images]]), all_wrong, of_slice.all_images))[0] >= needed
    return float(fewer[0, enough.argmax()] if enough.any() else wrong) / images
