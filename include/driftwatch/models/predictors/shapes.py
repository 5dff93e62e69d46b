"""Whether a model fits what the monitor file says goes into it and comes out of it. A setting that does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.from_images import ModelFacts


def refuse_other_input(dims: Sequence[int | None], about: ModelInput, name: str) -> None:
    """Raises NeedsAttention if images of `about` do not go into the axes `dims`, [batch, three more]; None: any number."""
    wanted = about.shape
    if all(dim in (None, need) for dim, need in zip(dims[1:], wanted, strict=True)):
        return
    shown = ["?" if dim is None else dim for dim in dims]
    raise NeedsAttention(
        f"{name} takes images of {shown}, and model.input makes [n, {', '.join(map(str, wanted))}] (layout {about.layout}, size "
        f"[{about.height}, {about.width}], colour {about.colour}): {_settings(dims, about)}, or export the model "
        "for such images, as a challenger must be, which takes what its champion takes"
    )


def refuse_scaled_bytes(about: ModelInput, name: str) -> None:
    """Raises NeedsAttention if the numbers of a model that takes whole numbers are changed before it."""
    if about.scale != 1 or any(about.mean) or any(part != 1 for part in about.std):
        raise NeedsAttention(
            f"{name} takes whole numbers 0..255, so nothing is scaled before it: leave model.input.scale, mean and std out"
        )


def _settings(dims: Sequence[int | None], about: ModelInput) -> str:
    """The settings of model.input that would fit."""
    first, last = dims[1] in (1, 3), dims[3] in (1, 3)
    if first == last:
        return f"set model.input.layout and size to its axes, and colour to its channels (now {about.channels})"
    layout, channels, sides = ("nchw", dims[1], dims[2:]) if first else ("nhwc", dims[3], dims[1:3])
    advice = [f"layout: {layout}"] if layout != about.layout else []
    size = [side or own for side, own in zip(sides, (about.height, about.width), strict=True)]
    if size != [about.height, about.width]:
        advice.append(f"size: {size}")
    if channels != about.channels:
        advice.append("colour: grey" if channels == 1 else "colour: rgb (or bgr)")
    return "set model.input." + ", ".join(advice)


def chosen_output(fits: Mapping[str, bool], described: str, facts: ModelFacts, name: str) -> str:
    """The output that has the answers. `fits`: of each output by name, whether its shape can be the answers'.

    Raises NeedsAttention where the named one is not there or does not fit, and where none or several fit.
    """
    expected = " or ".join(f"[n, {columns}]" for columns in facts.columns)
    wanted = facts.head.name
    if wanted is not None:
        if fits.get(wanted):
            return wanted
        what = "does not fit" if wanted in fits else "is none of its outputs"
        raise NeedsAttention(
            f"{name}: model.output_name {wanted!r} {what}; needed is {expected} for classes {list(facts.class_names)}; its outputs "
            f"are {described}"
        )
    fitting = [output for output, fit in fits.items() if fit]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise NeedsAttention(
            f"{name} gives {described}; needed is {expected} for classes {list(facts.class_names)} (one number for each, or one for two "
            "classes): export the model with such an output, or correct classes or model.output"
        )
    raise NeedsAttention(
        f"{name} has several outputs that may have the answers, {described}: set model.output_name to one of {fitting}"
    )
