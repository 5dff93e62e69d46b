"""Coats of the drawn animals: colours and patterns, shared by cats and dogs, each with its own odds."""

from dataclasses import dataclass

import numpy as np

from driftwatch_sandbox.photos.brush import View, ellipse, limb, mirrored, smooth

Color = tuple[int, int, int]
Mark = tuple[list[np.ndarray], Color, float]

COLORS = {
    "black": (44, 41, 42), "charcoal": (76, 74, 77), "grey": (132, 131, 134), "blue": (108, 116, 128),
    "white": (236, 232, 226), "cream": (229, 207, 172), "gold": (209, 163, 98), "orange": (203, 128, 66),
    "red": (150, 84, 46), "chocolate": (92, 62, 46), "fawn": (197, 162, 122), "brown": (126, 98, 74),
}  # fmt: skip
# Both classes have every colour and nearly every pattern, so that a coat alone is only a hint.
COLOR_ODDS = {
    "cat": {"black": 3, "charcoal": 3, "grey": 6, "blue": 4, "white": 2, "cream": 1, "gold": 1, "orange": 4, "red": 1,
            "chocolate": 1, "fawn": 1, "brown": 2},
    "dog": {"black": 4, "charcoal": 1, "grey": 1, "blue": 1, "white": 2, "cream": 4, "gold": 5, "orange": 1, "red": 4,
            "chocolate": 4, "fawn": 4, "brown": 2},
}  # fmt: skip
PATTERN_ODDS = {
    "cat": {"solid": 2, "tabby": 9, "bicolor": 4, "points": 2, "patches": 3, "spots": 1, "tan": 0},
    "dog": {"solid": 4, "tabby": 1, "bicolor": 4, "points": 2, "patches": 3, "spots": 1, "tan": 3},
}


def choose(random: np.random.Generator, odds: dict[str, int]) -> str:
    """Chooses one key. Its chance is its share of the odds."""
    ends = np.cumsum(list(odds.values()))
    return list(odds)[int(np.searchsorted(ends, random.random() * ends[-1], side="right"))]


def shaded(color, factor: float) -> Color:
    """The colour made darker (below 1) or lighter (above 1)."""
    r, g, b = (min(250, int(c * factor)) for c in color)
    return r, g, b


def blended(color, other, share: float) -> Color:
    """The colour mixed with a share of another."""
    r, g, b = (int(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return r, g, b


@dataclass(frozen=True)
class Coat:
    """The colours of the parts of one animal."""

    pattern: str
    base: Color
    second: Color
    ears: Color
    muzzle: Color
    chest: Color
    legs: Color
    paws: Color
    skin: Color


def draw_coat(label: str, random: np.random.Generator) -> Coat:
    """A coat for the class."""
    pattern, name = choose(random, PATTERN_ODDS[label]), choose(random, COLOR_ODDS[label])
    if pattern == "points":
        name = str(random.choice(["cream", "fawn", "white", "gold", "grey"]))
    if pattern == "tan":
        name = str(random.choice(["black", "charcoal", "chocolate", "blue"]))
    if pattern == "spots":
        name = str(random.choice(["white", "fawn", "gold", "grey", "cream"]))
    if pattern == "tabby" and name in ("black", "white"):
        name = "grey"
    base = shaded(COLORS[name], random.normal(1, 0.1))
    white = blended(COLORS["white"], base, random.uniform(0, 0.25))
    dark = blended(COLORS["black"], base, random.uniform(0.05, 0.3))
    tan = blended(COLORS["orange"], COLORS["fawn"], random.random())
    soft = blended(base, white, random.uniform(0, 0.55))
    second, ears, muzzle, chest, legs, paws = {
        "solid": (shaded(base, 0.8), shaded(base, random.uniform(0.7, 1.0)), soft, soft, base, base),
        "tabby": (
            shaded(base, random.uniform(0.42, 0.62)),
            shaded(base, 0.85),
            blended(base, white, 0.6),
            soft,
            base,
            soft,
        ),
        "bicolor": (white, base, white, white, white if random.random() < 0.5 else base, white),
        "points": (dark, dark, blended(dark, base, random.uniform(0, 0.4)), base, blended(base, dark, 0.5), dark),
        "patches": (white if min(base) < 170 else COLORS["brown"], base, white, white, white, white),
        "spots": (dark, blended(base, dark, random.random()), base, base, base, base),
        "tan": (tan, base, tan, blended(base, tan, 0.5), blended(base, tan, 0.4), tan),
    }[pattern]
    pink, slate = (196, 138, 132), (58, 48, 50)
    skin = blended(pink, slate, random.uniform(0, 0.35) if label == "cat" else random.uniform(0.2, 0.7))
    return Coat(pattern, base, second, ears, muzzle, chest, legs, paws, skin)


def head_marks(coat: Coat, view: View, random: np.random.Generator) -> list[Mark]:
    """Marks of the coat on a head."""
    s = view.scale
    if coat.pattern == "tabby":
        lines = []
        for x in (0.0, 0.17, 0.36):  # the M on the forehead
            for side in (-1, 1) if x else (1,):
                path = [(side * x * 0.7, -0.28, 0.8), (side * x, -0.52, 0.6), (side * x * 1.3, -0.8, 0.2)]
                lines.append(limb(view(path), 0.05 * s, 0.035 * s))
        for side in (-1, 1):
            for y in (0.05, 0.27):
                path = [(side * 0.6, y, 0.6), (side * 0.8, y + 0.08, 0.4), (side * 1.05, y + 0.04, 0)]
                lines.append(limb(view(path), 0.04 * s, 0.05 * s))
        return [(lines, coat.second, 0.0)]
    if coat.pattern == "bicolor":
        w, top = random.uniform(0.06, 0.4), random.uniform(-0.75, -0.1)
        half = [(0, top), (w * 0.6, top + 0.1), (w, 0.05), (w + 0.3, 0.45), (w + 0.25, 0.9), (0, 1.3)]
        return [([view(smooth(mirrored(half)), 0.7)], coat.second, 0.02 * s)]
    if coat.pattern == "points":
        return [
            ([view(ellipse(0, 0.3, random.uniform(0.5, 0.75), random.uniform(0.5, 0.75)), 0.7)], coat.second, 0.12 * s)
        ]
    if coat.pattern == "patches":
        side = random.choice([-1, 1])
        eye = ellipse(side * 0.45, -0.2, random.uniform(0.3, 0.5), random.uniform(0.35, 0.6), random.uniform(-1, 1))
        cap = ellipse(-side * 0.75, -0.7, random.uniform(0.3, 0.6), random.uniform(0.3, 0.55))
        return [
            ([view(eye, 0.6), view(cap, 0.3)], coat.second, 0.02 * s),
            ([view(ellipse(0, 0.55, 0.42, 0.4), 0.8)], coat.muzzle, 0.03 * s),
        ]
    if coat.pattern == "spots":
        return [(_spots(view, random, 16, (-0.9, 0.9), (-0.9, 0.7), 0.5), coat.second, 0.0)]
    if coat.pattern == "tan":
        brows = [view(ellipse(side * 0.33, -0.36, 0.13, 0.1), 0.85) for side in (-1, 1)]
        cheeks = [view(ellipse(side * 0.5, 0.5, 0.28, 0.3), 0.5) for side in (-1, 1)]
        return [(brows + cheeks, coat.second, 0.02 * s)]
    return [([view(ellipse(0, 0.5, 0.5, 0.42), 0.7)], coat.muzzle, 0.08 * s)]


def body_marks(
    coat: Coat, view: View, random: np.random.Generator, left: float, right: float, bottom: float
) -> list[Mark]:
    """Marks of the coat on a body that reaches from `left` to `right` and down to `bottom`, in the frame of `view`."""
    s, span = view.scale, right - left
    if coat.pattern == "tabby":
        lines = []
        for x in np.arange(left + 0.1, right, 0.34):
            x = x + random.uniform(-0.08, 0.08)
            lean = 0.25 * (2 * (x - left) / span - 1)
            top = random.uniform(0.5, 0.9)
            path = [
                (x, top),
                (x + lean * 0.5 + 0.05, (top + bottom) / 2 - 0.2),
                (x + lean, bottom * random.uniform(0.6, 0.9)),
            ]
            lines.append(limb(view(path), 0.09 * s, 0.04 * s))
        return [(lines, coat.second, 0.0)]
    if coat.pattern in ("bicolor", "tan"):
        chest = ellipse(0, 1.5, random.uniform(0.35, 0.7), random.uniform(0.5, 1.0))
        return [([view(chest)], coat.chest, 0.03 * s)]
    if coat.pattern == "patches":
        return [(_spots(view, random, 5, (left, right), (0.8, bottom), 0.0, (0.3, 0.7)), coat.second, 0.02 * s)]
    if coat.pattern == "spots":
        return [(_spots(view, random, int(14 * span), (left, right), (0.7, bottom), 0.0), coat.second, 0.0)]
    return []


def _spots(view, random, count, xs, ys, z, sizes=(0.05, 0.13)) -> list[np.ndarray]:
    spots = []
    for _ in range(count):
        r = random.uniform(*sizes)
        spots.append(
            view(
                ellipse(
                    random.uniform(*xs), random.uniform(*ys), r, r * random.uniform(0.6, 1.1), random.uniform(0, 3), 10
                ),
                z,
            )
        )
    return spots
