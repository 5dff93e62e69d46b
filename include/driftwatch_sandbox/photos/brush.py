"""Brushes of the drawn photos: projection, smooth outlines, and fur that is shaded, hairy at the edge and casts a shadow.

Images are uint8 [height, width, 3] in RGB; outlines are float [n, 2] in pixels, x first.
"""

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np

SHIFT = 4  # fixed-point bits that OpenCV keeps for sub-pixel positions
TILE = 1400  # side of the hair textures: any crop of a photo around the face lies inside


@dataclass(frozen=True)
class View:
    """Where a body frame (x right, y down, z to the viewer, in head radii) lands on the photo."""

    x: float
    y: float
    scale: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    matrix: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cy, sy, cp, sp = np.cos(self.yaw), np.sin(self.yaw), np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        turn = np.array([[cy, 0, sy], [sp * sy, cp, -sp * cy]])
        roll = np.array([[cr, -sr], [sr, cr]])
        object.__setattr__(self, "matrix", (roll @ turn).T * self.scale)

    def __call__(self, points, z: float = 0.0) -> np.ndarray:
        """Pixels of points [n, 2] at depth `z`, or of points [n, 3]."""
        points = np.atleast_2d(np.asarray(points, float))
        if points.shape[1] == 2:
            points = np.column_stack([points, np.full(len(points), z)])
        return points @ self.matrix + (self.x, self.y)


@cache
def _spline_basis(steps: int) -> np.ndarray:
    t = np.linspace(0, 1, steps, endpoint=False)
    return 0.5 * np.stack(
        [-(t**3) + 2 * t**2 - t, 3 * t**3 - 5 * t**2 + 2, -3 * t**3 + 4 * t**2 + t, t**3 - t**2], axis=1
    )


def smooth(points, steps: int = 6, closed: bool = True) -> np.ndarray:
    """A Catmull-Rom curve through the points."""
    p = np.asarray(points, float)
    padded = np.vstack([p[-1:], p, p[:2]]) if closed else np.vstack([p[:1], p, p[-1:]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 4, axis=0)
    curve = np.einsum("sk,nck->nsc", _spline_basis(steps), windows).reshape(-1, p.shape[1])
    return curve if closed else np.vstack([curve, p[-1:]])


def mirrored(right_half) -> np.ndarray:
    """The closed outline whose right half runs from the top of the axis (first) to its bottom (last)."""
    half = np.asarray(right_half, float)
    return np.vstack([half, half[-2:0:-1] * (-1, 1)])


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, n: int = 20) -> np.ndarray:
    """An ellipse as an outline [n, 2]."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    u, v, c, s = rx * np.cos(t), ry * np.sin(t), np.cos(angle), np.sin(angle)
    return np.stack([x + c * u - s * v, y + s * u + c * v], axis=1)


def limb(path, start: float, end: float) -> np.ndarray:
    """The outline of a limb along a path, its radius going from `start` to `end`, with a round tip."""
    line = smooth(path, 5, closed=False)
    direction = np.gradient(line, axis=0)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    normal = direction[:, ::-1] * (-1, 1)
    radius = np.linspace(start, end, len(line))[:, None]
    t = np.linspace(0, np.pi, 7)[1:-1, None]
    tip = line[-1] + end * (np.cos(t) * normal[-1] + np.sin(t) * direction[-1])
    return np.vstack([line + radius * normal, tip, (line - radius * normal)[::-1]])


def hull(*outlines: np.ndarray) -> np.ndarray:
    """The convex hull of several outlines."""
    return cv2.convexHull(np.vstack(outlines).astype(np.float32))[:, 0]


def fixed(outline) -> np.ndarray:
    return np.round(np.asarray(outline) * (1 << SHIFT)).astype(np.int32)


def fill(image: np.ndarray, outline, color) -> None:
    """Fills an outline with antialiasing."""
    cv2.fillPoly(image, [fixed(outline)], color, cv2.LINE_AA, SHIFT)


def stroke(image: np.ndarray, line, color, width: float) -> None:
    """Draws an open line with antialiasing."""
    cv2.polylines(image, [fixed(line)], False, color, max(1, round(width)), cv2.LINE_AA, SHIFT)


@cache
def hair_tile(kind: str) -> np.ndarray:
    """uint8 [TILE, TILE] around 128: `short` or `long` hair that runs away from the middle, or `curly` wool."""
    random = np.random.default_rng(abs(sum(map(ord, kind))))
    noise = random.standard_normal((TILE, TILE)).astype(np.float32)
    middle = (TILE / 2, TILE / 2)
    if kind == "curly":
        tile = cv2.GaussianBlur(noise, (0, 0), 2.2) - cv2.GaussianBlur(noise, (0, 0), 5)
    else:
        tile = cv2.GaussianBlur(noise, (0, 0), 0.7)
        # Averaging ever larger copies smears the noise along the radius: a zoom blur, which is how a face's hair lies.
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
    w = weight.astype(np.float32) * (1 / 255)
    return cv2.blendLinear(np.ascontiguousarray(image), other, 1 - w, w)


@dataclass
class Fur:
    """A brush that paints furry parts onto one photo, back to front."""

    image: np.ndarray
    center: tuple[float, float]
    light: tuple[float, float]
    """From where the light comes on the picture plane, as (x, y) within the unit circle."""
    kind: str = "short"
    strength: float = 0.3
    fuzz: float = 3.0
    """How far single hairs stand out of an outline, in pixels."""
    ambient: float = 0.5

    def __post_init__(self) -> None:
        height, width = self.image.shape[:2]
        left = int(np.clip(TILE / 2 - self.center[0], 0, TILE - width))
        top = int(np.clip(TILE / 2 - self.center[1], 0, TILE - height))
        self.hair = hair_tile(self.kind)[top : top + height, left : left + width]

    def paint(self, outline, color, marks=(), bulge: float = 1.0, soft: float = 0.0, shadow: float = 0.3) -> None:
        """Paints one part: an outline in a colour, with `marks`, a list of (outlines, colour, blur in pixels).

        bulge: how round the part is (0 flat, 1 a pillow). soft: pixels over which it melts into what lies beneath.
        shadow: how dark the shadow is that it throws on what lies beneath, 0 to 1.
        """
        height, width = self.image.shape[:2]
        outline = np.asarray(outline)
        margin = int(self.fuzz + 2 * soft + 4 + (0.06 * width if shadow else 0))
        x0, y0 = np.maximum(np.floor(outline.min(0)).astype(int) - margin, 0)
        x1, y1 = np.minimum(np.ceil(outline.max(0)).astype(int) + margin, (width, height))
        if x1 - x0 < 4 or y1 - y0 < 4:
            return
        image, hair = self.image[y0:y1, x0:x1], self.hair[y0:y1, x0:x1]
        mask = self._mask([outline - (x0, y0)], hair, soft)
        shade = self._shade(mask, bulge)
        if shadow:
            self._cast(image, mask, shadow)
        paint = np.empty_like(image)
        paint[:] = color
        for outlines, mark_color, blur in marks:
            layer = np.empty_like(image)
            layer[:] = mark_color
            paint = mix(paint, layer, self._mask([o - (x0, y0) for o in outlines], hair, blur))
        gain = shade * (1 - self.strength + self.strength * hair.astype(np.float32) / 128)
        lit = cv2.multiply(paint, cv2.merge([np.clip(gain * 128, 0, 255).astype(np.uint8)] * 3), scale=1 / 128)
        image[:] = mix(image, lit, mask)

    def _mask(self, outlines, hair: np.ndarray, soft: float) -> np.ndarray:
        mask = np.zeros(hair.shape, np.uint8)
        for outline in outlines:
            fill(mask, outline, 255)
        size = int(self.fuzz + 2 * soft) | 1
        mask = cv2.blur(cv2.blur(mask, (size, size)), (size, size))
        if soft:
            return mask
        return cv2.LUT(cv2.addWeighted(mask, 1, hair, 0.8, -102), _edge_ramp())

    def _shade(self, mask: np.ndarray, bulge: float) -> np.ndarray:
        """Light on the part blown up like a pillow, computed small, where it is smooth and quick."""
        height, width = mask.shape
        ratio = min(1.0, 56 / max(height, width))
        size = (max(6, round(width * ratio)), max(6, round(height * ratio)))
        small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        solid = cv2.copyMakeBorder((small > 100).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
        radius = max(float(depth.max()), 1.0)
        depth = np.minimum(depth, radius)
        pillow = cv2.GaussianBlur(np.sqrt(depth * (2 * radius - depth)), (0, 0), 1.5) * bulge
        slope_x, slope_y = cv2.Sobel(pillow, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(pillow, cv2.CV_32F, 0, 1, scale=1 / 8)
        lx, ly = self.light
        lz = np.sqrt(max(0.05, 1 - lx * lx - ly * ly))
        facing = (lz - lx * slope_x - ly * slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2)
        shade = self.ambient + (1.12 - self.ambient) * np.clip(facing, 0, 1)
        return cv2.resize(shade.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)

    def _cast(self, image: np.ndarray, mask: np.ndarray, strength: float) -> None:
        height, width = mask.shape
        small = cv2.resize(mask, (max(4, width // 6), max(4, height // 6)), interpolation=cv2.INTER_AREA)
        dark = cv2.blur(cv2.blur(small, (3, 3)), (3, 3))
        gain = cv2.resize(255 - (dark * strength).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
        image[:] = cv2.multiply(image, cv2.merge([gain] * 3), scale=1 / 255)
