"""How well two programs' scores for the same images agree, and what would be far better for a model, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftwatch.artifacts.recheck import Agreement, Recheck
from driftwatch.models.diagnosis import Better, Diagnosis
from driftwatch.models.expected import MOST_APART, Tried
from driftwatch.view.shares import wide_share
from driftwatch.view.words import count, listing

_ROWS = 6
_MOST = 3


def agreement_words(found: Agreement) -> str:
    """The differences in one line."""
    classes = f"{found.other_class} in another class" if found.other_class else "all in the same class"
    return f"largest difference {found.largest:.3g}, median {found.median:.2g}, {classes}, of {count(found.images, 'image')}"


def recheck_rows(found: Recheck | None) -> list[tuple[str, str]]:
    """What the report says of production's answers beside those of the champion's file; nothing for a day without both."""
    if found is None:
        return []
    said = agreement_words(found) if found.scores else _classes_alone(found)
    if found.agrees:
        return [("Recheck by its file", f"production's answers are those of {found.model_version}'s file: {said}")]
    return [
        (
            "Recheck by its file",
            f"warning: production's answers are not those of {found.model_version}'s file: {said}. Another model is served, or its images "
            "are made in another way: driftwatch champion import with --expect tells which setting of model.input would agree",
        )
    ]


def _classes_alone(found: Recheck) -> str:
    return f"{found.other_class} of {count(found.images, 'image')} in another class; production writes no scores"


def tried_lines(tried: Sequence[Tried]) -> list[str]:
    """A table of the settings that were tried: the monitor file's and the best ones, for a terminal."""
    rows = [*tried[:_ROWS], *(one for one in tried[_ROWS:] if not one.variation.settings)]
    lines = ["largest  median   other class  model.input"]
    for one in rows:
        found = one.agreement
        lines.append(f"{found.largest:<8.3g} {found.median:<8.2g} {found.other_class:<12} {one.variation.said}")
    return lines


@dataclass(frozen=True)
class OrderWords:
    """How another order of the classes is told. `positive`: of a model that gives one number for two classes, the class that it is taken to be
    the chance of. `by_name`: the classes of answers that were looked up, which have names, not places."""

    positive: str | None = None
    by_name: tuple[str, ...] = ()


def wrong_words(found: Diagnosis, name: str, order: OrderWords = OrderWords()) -> str:
    """Why a model is not taken: chance, and what would be far better."""
    said = [f"{name} is right on {wide_share(found.accuracy)} of held-out images."]
    if found.by_chance:
        said.append(
            f"That is no better than chance: its answers, shuffled, are right on {found.chance:.1%} (p = {found.p_value:.2g})."
        )
    said += [
        f"It {'would be' if place == 0 else 'also would be'} right on {one.accuracy:.1%} with {better_words(one, order)}."
        for place, one in enumerate(found.better[:_MOST])
    ]
    if found.better and order.by_name:
        said.append(
            "Map them by model.logged.classes, or correct the server's labels or the folders of the training images, and run the same "
            "command again"
        )
    elif found.better:
        said.append("Correct the monitor file by one of these and run the same command again")
    else:
        said.append(
            "No other order of the classes, scale, order of channels or of axes is far better. Look at the folders of the training images and at "
            "model.output, compare with your own serving by --expect, and run the same command again"
        )
    return " ".join(said) + "; or add --accept to take the model as it is."


def wrong_challenger_words(found: Diagnosis, version: str) -> str:
    """What a team should know of the model that it brought, before it is compared: that it guesses, or that its outputs are in another order
    than the classes. Empty where nothing is wrong."""
    if not found.wrong:
        return ""
    said = f"{version} is right on {wide_share(found.accuracy)} of held-out images"
    if found.by_chance:
        said += f", no better than chance ({found.chance:.1%})"
    order = next((one for one in found.better if one.order), None)
    if order is None or order.order is None:
        return f"{said}. Look at what it was trained on, and at how its images are made (manifest.json, input)"
    return (
        f"{said}. If its outputs were [{', '.join(order.order)}], it would be right on {order.accuracy:.1%}: they must be in the order of `classes` in manifest.json. "
        "Export it again in that order, and register that file"
    )


def better_words(found: Better, order: OrderWords) -> str:
    """The settings that would be better, as they stand in the monitor file."""
    said = [setting if ":" not in setting else f"model.input.{setting}" for setting in found.settings]
    if found.order and order.by_name:
        pairs = [(its, real) for its, real in zip(order.by_name, found.order, strict=True) if its != real]
        said.append("its class " + listing([f"{its} being {real}" for its, real in pairs], 6))
    elif found.order and order.positive:
        said += [f"model.positive_class: {name}" for name in found.order if name != order.positive]
    elif found.order:
        said.append(f"classes: [{', '.join(found.order)}]")
    return listing(said, len(said))


def expected_words(found: Agreement, name: str) -> str:
    """Whether the scores in the file `name` are the model's."""
    if found.agrees:
        return f"The scores in {name} are the model's: {agreement_words(found)}"
    return f"The scores in {name} are not the model's: {agreement_words(found)}. Two programs that do the same differ by at most {MOST_APART}"
