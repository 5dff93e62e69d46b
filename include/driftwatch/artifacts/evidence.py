"""A day's evidence, as performance.json keeps it: counts and sums. Those of several days can simply be added.

`driftwatch.accuracy.evidence` reckons with them.
"""

from __future__ import annotations

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.parts import Number


class ScoreSums(Part):
    """Sums over f, the model's score for its own answer. They are kept for the labelled images and for those that were not sampled."""

    n: Number
    """Labelled images."""
    right: Number
    """Those whose label is the model's answer."""
    sum: Number
    """Sum of f."""
    squares: Number
    """Sum of f²."""
    right_sum: Number
    """Sum of f over the images where label and answer agree."""
    rest_n: Number
    """Images that were not sampled."""
    rest_sum: Number
    """Sum of their f."""
    rest_squares: Number
    """Sum of their f²."""


class VoteSpread(Part):
    """Which classes get the wrong votes, and which classes are hard."""

    confused: tuple[tuple[Number, ...], ...]
    """[class, other class]: images of the class that somebody gave the other one."""
    both_wrong: Number
    """Control images with two wrong answers or more."""
    both_alike: Number
    """Over these, the sum of the share of their pairs of wrong answers that name one class."""
    apart: dict[int, Number]
    """Images of the sample whose votes are not all the same, by their number of votes."""
    three: dict[int, Number]
    """Of these, those with three different votes or more."""
    class_images: tuple[Number, ...]
    """[class]: images of the sample with two votes or more, by the classes of their votes."""
    class_apart: tuple[Number, ...]
    """[class]: the share of their pairs of votes that disagree, summed."""


class VoteSums(Part):
    """How people answered."""

    control_right: tuple[Number, ...]
    """[class]: right answers to control tasks, by their known class."""
    control_wrong: tuple[Number, ...]
    """[class]: wrong ones."""
    control_squares: Number | None = None
    """Over control images, the sum of answers²; absent on the first days that had evidence, which are not reckoned with."""
    annotators: Number
    """Annotators who answered a control task."""
    annotator_squares: Number
    """Over them, the sum of answers²."""
    annotator_cross: Number
    """Over them, the sum of answers times wrong ones."""
    annotator_wrong: Number
    """Over them, the sum of wrong answers²."""
    pairs: Number
    """Images of the sample with two votes or more; of a stratified sample, as many as in a plain one would say as much."""
    disagreement: Number
    """Over these, the sum of the share of their pairs of votes that disagree."""
    disagreement_squares: Number
    """The sum of its square."""
    sizes: dict[int, Number]
    """Labelled images by their number of votes for a class."""
    spread: VoteSpread | None = None
    """Null or absent for a day judged by an early Driftwatch."""


class StratumSums(Part):
    """What the labels and scores of one stratum say: a part of the day's images with a chance of its own to be sampled."""

    name: str
    """As the plan of the sample names it."""
    images: Number
    """The day's images in it."""
    cells: tuple[tuple[int, int, int], ...]
    """[label, prediction, images]: its labelled images, classes by their place; pairs that nobody saw are left out."""
    scores: ScoreSums
    """The model's scores."""


class EvidenceSums(Part):
    """What the labels, votes and scores of one day say."""

    confusion: tuple[tuple[int, ...], ...]
    """[label, prediction]: labelled images of the sample."""
    scores: ScoreSums
    """The model's scores."""
    votes: VoteSums
    """People's answers."""
    strata: tuple[StratumSums, ...] = ()
    """The same by stratum; absent for a plain random sample."""
