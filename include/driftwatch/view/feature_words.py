"""The features in a photographer's words: what each is called, what its numbers are, and what more and less of it look like.

The alerts, the command line, the report and the pages take the words from here. The column's own name and what it measures exactly are
tips beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftwatch.images.features import FEATURES

_LEVELS = "0 is none, 255 is full"
_LOG = "log scale: 0.7 more is twice as much"


@dataclass(frozen=True)
class FeatureWords:
    """One feature. `unit`: what a number of it means; `higher` and `lower`: how the pictures look where it rises or falls; `tip`: the
    column, and what it measures."""

    name: str
    unit: str
    higher: str
    lower: str
    tip: str


_WORDS = {
    "image.ImagePixelWidth": ("image width", "pixels", "wider images", "narrower images"),
    "image.ImagePixelHeight": ("image height", "pixels", "taller images", "lower images"),
    "image.entropy": ("tonal variety", "bits, 0 to 9.6", "more varied tones", "fewer, flatter tones"),
    "image.Hue.mean": (
        "colour tint",
        "hue: 0 red, 85 green, 170 blue, 255 red",
        "colours shifted towards blue and purple",
        "colours shifted towards red and yellow",
    ),
    "image.Hue.stddev": (
        "colour variety",
        "spread of the hue, 0 to 128",
        "more different colours",
        "fewer different colours",
    ),
    "image.Saturation.mean": ("saturation", _LEVELS, "stronger colours", "paler colours"),
    "image.Saturation.stddev": (
        "saturation variety",
        "spread of the saturation, 0 to 128",
        "saturation varies more",
        "saturation varies less",
    ),
    "image.Brightness.mean": ("brightness", "0 is black, 255 is full light", "brighter", "darker"),
    "image.Brightness.stddev": ("contrast", "spread of the brightness, 0 to 128", "more contrast", "less contrast"),
    "image.Sharpness.laplacian": ("sharpness", _LOG, "harsher detail or noise", "blurred, fine detail lost"),
    "image.Sharpness.gradient": ("edge contrast", _LOG, "stronger edges", "weaker edges"),
    "image.Sharpness.high_frequency": (
        "finest detail",
        _LOG,
        "more of the finest detail or noise",
        "finest detail lost",
    ),
    "image.Sharpness.peakedness": (
        "smooth patches",
        _LOG,
        "flat patches with hard edges",
        "detail spread evenly, as by noise or blur",
    ),
    "image.Sharpness.grid": ("pixelation", _LOG, "a visible pixel grid", "less of a pixel grid"),
    "image.Sharpness.blockiness": ("JPEG blocks", _LOG, "visible JPEG blocks", "fewer JPEG blocks"),
    "image.Sharpness.noise": ("noise", _LOG, "noisier", "less noise"),
}
_MEANINGS = {feature.column: feature.meaning for feature in FEATURES}


def words_of(column: str) -> FeatureWords:
    """The words of a column; for one that is not known here, its own name without the prefix."""
    name, unit, higher, lower = _WORDS.get(column, (column.removeprefix("image."), "value", "higher", "lower"))
    tip = f"{column}: {_MEANINGS[column]}" if column in _MEANINGS else column
    return FeatureWords(name, unit, higher, lower, tip)
