"""Brushes of the drawn photos: projection, smooth outlines, and shaded fur that is hairy at its edge.

Images are uint8 [height, width, 3] in RGB; outlines are float [n, 2] in pixels, x first.
"""

from dataclasses import dataclass, field
from functools import cache
from math import cos, sin
from typing import Any

import cv2
import numpy as np

SHIFT = 4  # fixed-point bits that OpenCV keeps for sub-pixel positions
_LEVELS = np.arange(256, dtype=np.float32).reshape(1, 256, 1) / 128
TILE = 1400  # side of the hair textures: any crop of a photo around the face lies inside


@dataclass(frozen=True)
class View:
    """How points of the body (x right, y down, z to the viewer, in head radii) become pixels of the photo."""

    x: float
    y: float
    scale: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    matrix: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cy, sy, cp, sp, cr, sr = (
            cos(self.yaw),
            sin(self.yaw),
            cos(self.pitch),
            sin(self.pitch),
            cos(self.roll),
            sin(self.roll),
        )
        turn = np.array([[cy, 0, sy], [sp * sy, cp, -sp * cy]])
        roll = np.array([[cr, -sr], [sr, cr]])
        object.__setattr__(self, "matrix", (roll @ turn).T * self.scale)

    def __call__(self, points, z: float = 0.0) -> np.ndarray:
        """Pixels of points [n, 2] at depth `z`, or of points [n, 3]."""
        points = np.asarray(points, float)
        flat = points[:, :2] @ self.matrix[:2]
        depth = points[:, 2:] if points.shape[1] == 3 else z
        return flat + depth * self.matrix[2] + (self.x, self.y)


@cache
def _spline_basis(steps: int) -> np.ndarray:
    t = np.linspace(0, 1, steps, endpoint=False)
    return 0.5 * np.stack(
        [-(t**3) + 2 * t**2 - t, 3 * t**3 - 5 * t**2 + 2, -3 * t**3 + 4 * t**2 + t, t**3 - t**2], axis=1
    )


@cache
def _windows(n: int) -> np.ndarray:
    return np.arange(n)[:, None] + np.arange(4)


def smooth(points, steps: int = 6, closed: bool = True) -> np.ndarray:
    """A Catmull-Rom curve through the points."""
    p = np.asarray(points, float)
    padded = np.concatenate([p[-1:], p, p[:2]] if closed else [p[:1], p, p[-1:]])
    curve = (_spline_basis(steps) @ padded[_windows(len(padded) - 3)]).reshape(-1, p.shape[1])
    return curve if closed else np.concatenate([curve, p[-1:]])


def mirrored(right_half) -> np.ndarray:
    """The closed outline whose right half runs from the top of the axis (first) to its bottom (last)."""
    half = np.asarray(right_half, float)
    return np.vstack([half, half[-2:0:-1] * (-1, 1)])


@cache
def _circle(n: int) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, n: int = 20) -> np.ndarray:
    """An ellipse as an outline [n, 2]."""
    c, s = cos(angle), sin(angle)
    return _circle(n) @ np.array([[rx * c, rx * s], [-ry * s, ry * c]]) + (x, y)


def limb(path, start: float, end: float) -> np.ndarray:
    """The outline of a limb along a path, its radius going from `start` to `end`, with a round tip."""
    line = smooth(path, 5, closed=False)
    direction = np.empty_like(line)
    direction[1:-1], direction[0], direction[-1] = line[2:] - line[:-2], line[1] - line[0], line[-1] - line[-2]
    direction /= np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-6)[:, None]
    normal = direction[:, ::-1] * (-1, 1)
    offset = normal * (start + (end - start) * np.arange(len(line))[:, None] / (len(line) - 1))
    tip = line[-1] + end * (_circle(12)[1:6] @ np.stack([normal[-1], direction[-1]]))
    return np.concatenate([line + offset, tip, (line - offset)[::-1]])


def hull(*outlines: np.ndarray) -> np.ndarray:
    """The convex hull of several outlines."""
    return cv2.convexHull(np.vstack(outlines).astype(np.float32))[:, 0]


def fixed(outline) -> np.ndarray:
    return np.rint(np.asarray(outline) * (1 << SHIFT)).astype(np.int32)


def fill(image: np.ndarray, outline, color) -> None:
    """Fills an outline with antialiasing."""
    cv2.fillPoly(image, [fixed(outline)], color, cv2.LINE_AA, SHIFT)


def stroke(image: np.ndarray, line, color, width: float) -> None:
    """Draws an open line with antialiasing."""
    cv2.polylines(image, [fixed(line)], False, color, max(1, round(width)), cv2.LINE_AA, SHIFT)


@cache
def hair_tile(kind: str) -> np.ndarray:
    """uint8 [TILE, TILE] around 128: `short` or `long` hair that runs away from the middle, `curly` or `noise`."""
    random = np.random.default_rng(sum(map(ord, kind)))
    noise: np.ndarray = random.standard_normal((TILE, TILE)).astype(np.float32)
    middle = (TILE / 2, TILE / 2)
    tile: Any  # OpenCV's types are wider than what it returns
    if kind == "noise":
        tile = cv2.GaussianBlur(noise, (0, 0), 0.6)
    elif kind == "curly":
        tile = cv2.GaussianBlur(noise, (0, 0), 2.2) - cv2.GaussianBlur(noise, (0, 0), 5)
    else:
        tile = cv2.GaussianBlur(noise, (0, 0), 0.7)
        # The mean of larger and larger copies smears the noise along the radius (a zoom blur): the hair of a face lies like that.
        for zoom in (0.012, 0.025) if kind == "short" else (0.012, 0.025, 0.05, 0.08):
            larger = cv2.getRotationMatrix2D(middle, 1.2 if kind == "long" else 0.3, 1 + zoom)
            tile = tile + cv2.warpAffine(tile, larger, (TILE, TILE), borderMode=cv2.BORDER_REFLECT)
        tile -= cv2.blur(tile, (41, 41))
    return np.clip(128 + 52 * tile / tile.std(), 0, 255).astype(np.uint8)


@cache
def _edge_ramp() -> np.ndarray:
    return np.clip((np.arange(256) - 92.0) * 255 / 72, 0, 255).astype(np.uint8)


def mix(image: np.ndarray, other: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`other` over `image` by a uint8 weight, 0 to 255."""
    w = weight * np.float32(1 / 255)
    return cv2.blendLinear(image, other, 1 - w, w)


def dim(image: np.ndarray, gain: np.ndarray, one: int = 255) -> np.ndarray:
    """The image times a uint8 gain [height, width], where `one` means 1."""
    return cv2.multiply(image, cv2.cvtColor(gain, cv2.COLOR_GRAY2RGB), scale=1 / one)


def lit(color, light: np.ndarray) -> np.ndarray:
    """A colour under a uint8 light [height, width, 3], where 128 means 1."""
    return cv2.LUT(light, np.minimum(_LEVELS * color, 255).astype(np.uint8))


@dataclass
class Fur:
    """A brush that paints furry parts onto one photo, back to front."""

    image: np.ndarray
    center: tuple[float, float]
    light: tuple[float, float]
    """Where the light comes from in the plane of the picture, as (x, y) within the unit circle."""
    kind: str = "short"
    strength: float = 0.3
    fuzz: float = 3.0
    """How far single hairs reach beyond an outline, in pixels."""
    ambient: float = 0.5

    def __post_init__(self) -> None:
        height, width = self.image.shape[:2]
        left = int(np.clip(TILE / 2 - self.center[0], 0, TILE - width))
        top = int(np.clip(TILE / 2 - self.center[1], 0, TILE - height))
        self.hair = hair_tile(self.kind)[top : top + height, left : left + width]
        self.gain = cv2.addWeighted(self.hair, self.strength, self.hair, 0, 128 * (1 - self.strength))

    def paint(
        self, outline: np.ndarray, color, marks=(), bulge: float = 1.0, soft: float = 0.0, shadow: float = 0.3
    ) -> None:
        """Paints one part: an outline in a colour, with `marks`, a list of (outlines, colour, blur in pixels).

        bulge: how round the part is (0 flat, 1 a pillow). soft: pixels over which it melts into what lies beneath.
        shadow: how dark the shadow is that it throws on what lies beneath, 0 to 1.
        """
        height, width = self.image.shape[:2]
        left, top, wide, high = cv2.boundingRect(outline.astype(np.float32))
        margin = int(self.fuzz + 2 * soft + 4 + (0.12 * min(wide, high) if shadow else 0))
        x0, y0 = max(left - margin, 0), max(top - margin, 0)
        x1, y1 = min(left + wide + margin, width), min(top + high + margin, height)
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        image, hair = self.image[y0:y1, x0:x1], self.hair[y0:y1, x0:x1]
        mask = self._mask([outline - (x0, y0)], hair, soft)
        small = self._shrunk(mask)
        if shadow:
            dark = cv2.blur(cv2.blur(small, (5, 5)), (5, 5))
            image[:] = dim(image, cv2.resize(255 - cv2.convertScaleAbs(dark, alpha=shadow), mask.shape[::-1]))
        shade = cv2.resize(self._shade(small, bulge), mask.shape[::-1])
        light = cv2.cvtColor(cv2.multiply(shade, self.gain[y0:y1, x0:x1], scale=1 / 128), cv2.COLOR_GRAY2RGB)
        paint = lit(color, light)
        for outlines, mark_color, blur in marks:
            paint = mix(paint, lit(mark_color, light), self._mask([o - (x0, y0) for o in outlines], hair, blur))
        image[:] = mix(image, paint, mask)

    def _mask(self, outlines, hair: np.ndarray, soft: float) -> np.ndarray:
        mask = np.zeros(hair.shape, np.uint8)
        for outline in outlines:
            fill(mask, outline, 255)
        size = int(self.fuzz + 2 * soft) | 1
        mask = cv2.blur(cv2.blur(mask, (size, size)), (size, size))
        if soft:
            return mask
        return cv2.LUT(cv2.addWeighted(mask, 1, hair, 0.7, -90), _edge_ramp())

    @staticmethod
    def _shrunk(mask: np.ndarray, side: int = 44) -> np.ndarray:
        """A smaller mask. Light and shadow are smooth, so they can be computed fast on it."""
        ratio = min(1.0, side / max(mask.shape))
        size = [max(6, round(n * ratio)) for n in mask.shape[::-1]]
        return cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)  # the mask is already blurred: no aliasing

    def _shade(self, mask: np.ndarray, bulge: float) -> np.ndarray:
        """The light, 128 meaning 1, on the part of a mask blown up like a pillow."""
        solid = cv2.copyMakeBorder(cv2.threshold(mask, 100, 1, cv2.THRESH_BINARY)[1], 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(solid, cv2.DIST_L2, 3)[1:-1, 1:-1]
        radius = max(float(depth.max()), 1.0)
        pillow = cv2.GaussianBlur(np.sqrt(depth * (2 * radius - depth)), (7, 7), 1.5)
        x, y = (cv2.Sobel(pillow, cv2.CV_32F, dx, 1 - dx, scale=bulge / 8) for dx in (1, 0))
        lx, ly = self.light
        facing = np.maximum((1 - lx * lx - ly * ly) ** 0.5 - lx * x - ly * y, 0) / np.sqrt(1 + x * x + y * y)
        return cv2.convertScaleAbs(facing, alpha=128 * (1.12 - self.ambient), beta=128 * self.ambient)
