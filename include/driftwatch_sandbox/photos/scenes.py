"""Places where the animals sit, things in front of them, and the exposure of the photo."""

import cv2
import numpy as np

from driftwatch_sandbox.photos.brush import TILE, dim, ellipse, fill, hair_tile, limb, mix
from driftwatch_sandbox.photos.coats import Color, blended, choose

PLACE_ODDS = {
    "cat": {"room": 4, "sofa": 5, "blanket": 5, "wall": 3, "park": 2, "snow": 1},
    "dog": {"room": 4, "sofa": 3, "blanket": 1, "wall": 3, "park": 7, "snow": 2},
}


def draw_place(label: str, width: int, height: int, floor: float, random: np.random.Generator) -> np.ndarray:
    """A background, out of focus, whose ground begins behind `floor` (share of the height)."""
    place = choose(random, PLACE_ODDS[label])
    w, h = max(24, width // 3), max(24, height // 3)
    small = {"room": _room, "sofa": _sofa, "blanket": _blanket, "wall": _wall, "park": _park, "snow": _snow}[place](
        w, h, int(floor * h), random
    )
    small = cv2.GaussianBlur(small, (0, 0), random.uniform(0.6, 2.4))
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    x, y = random.integers(0, TILE - width), random.integers(0, TILE - height)
    grain = hair_tile({"blanket": "curly", "sofa": "curly", "park": "short"}.get(place, "noise"))[
        y : y + height, x : x + width
    ]
    amount = {"wall": 0.12, "room": 0.06, "snow": 0.1, "park": 0.16}.get(place, 0.13) * random.uniform(0.5, 1.3)
    gain = cv2.addWeighted(grain, amount, grain, 0, 128 * (1 - amount))
    return dim(image, gain, one=128)


def _hue(random, low=60, high=210, grey=0.72) -> Color:
    color = random.uniform(low, high, 3)
    return blended(color, (color.mean(),) * 3, grey)


def _ramp(w: int, h: int, top, bottom) -> np.ndarray:
    column = np.linspace(top, bottom, h)[:, None]
    return np.ascontiguousarray(np.broadcast_to(column, (h, w, 3)).astype(np.uint8))


def _mottle(image: np.ndarray, cells: int, amount: float, random) -> np.ndarray:
    h, w = image.shape[:2]
    rough = cv2.resize(random.standard_normal((cells, cells)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + amount * rough[..., None], 0, 255).astype(np.uint8)


def _planks(image: np.ndarray, floor: int, color, random) -> None:
    h, w = image.shape[:2]
    image[floor:] = _ramp(w, h - floor, blended(color, (0, 0, 0), 0.15), color) if floor < h else 0
    vanish = random.uniform(0.2, 0.8) * w
    for x in np.arange(-2.0, 3.0, random.uniform(0.12, 0.25)):
        line = np.array([(vanish + (x * w - vanish) * 0.45, floor), (x * w, h)])
        cv2.line(
            image,
            line[0].astype(int).tolist(),
            line[1].astype(int).tolist(),
            blended(color, (0, 0, 0), 0.35),
            1,
            cv2.LINE_AA,
        )


def _room(w, h, floor, random) -> np.ndarray:
    wall = _hue(random, 90, 225)
    image = _ramp(w, h, blended(wall, (255, 255, 255), 0.15), wall)
    for _ in range(random.integers(1, 4)):  # pictures, windows, doors
        x, y, a, b = (
            random.uniform(-0.1, 0.9) * w,
            random.uniform(-0.2, 0.4) * h,
            random.uniform(0.15, 0.4) * w,
            random.uniform(0.2, 0.6) * h,
        )
        bright = random.random() < 0.4
        cv2.rectangle(image, (int(x), int(y)), (int(x + a), int(y + b)), _hue(random, 40, 120), -1)
        inner = (225, 232, 238) if bright else _hue(random, 60, 230, 0.2)
        cv2.rectangle(image, (int(x) + 2, int(y) + 2), (int(x + a) - 2, int(y + b) - 2), inner, -1)
    _planks(
        image,
        floor,
        _hue(random, 70, 180, 0.3) if random.random() < 0.4 else (int(random.uniform(120, 190)), 125, 88),
        random,
    )
    cv2.rectangle(image, (0, max(0, floor - 4)), (w, floor), blended(wall, (250, 250, 250), 0.6), -1)
    return _mottle(image, 6, 8, random)


def _sofa(w, h, floor, random) -> np.ndarray:
    color = _hue(random, 50, 200, random.uniform(0.2, 0.8))
    wall = _hue(random, 100, 225)
    image = _ramp(w, h, wall, wall)
    back = int(random.uniform(0.05, 0.35) * h)
    image[back:floor] = blended(color, (0, 0, 0), 0.12)
    image[floor:] = color
    for x in random.uniform(0, 1, 2) * w:
        cv2.line(image, (int(x), back), (int(x + 3), floor), blended(color, (0, 0, 0), 0.5), 2, cv2.LINE_AA)
    cv2.line(image, (0, floor), (w, floor), blended(color, (0, 0, 0), 0.55), 3, cv2.LINE_AA)
    if random.random() < 0.6:  # a cushion
        x, y, r = random.choice([0.1, 0.9]) * w, random.uniform(0.3, 0.6) * h, random.uniform(0.2, 0.35) * h
        turn, corners = random.uniform(0, 1.5), []
        for k in range(4):
            corners.append((x + r * np.cos(turn + k * np.pi / 2), y + r * np.sin(turn + k * np.pi / 2)))
        fill(image, corners, _hue(random, 60, 230, 0.1))
    return _mottle(image, 7, 14, random)


def _blanket(w, h, floor, random) -> np.ndarray:
    color, stripe = _hue(random, 60, 225, 0.3), _hue(random, 50, 235, 0.2)
    image = _ramp(w, h, blended(color, (0, 0, 0), 0.2), color)
    kind, step, turn = random.integers(3), random.uniform(0.1, 0.3) * w, random.uniform(-0.5, 0.5)
    if kind < 2:  # stripes, or plaid
        for horizontal in range(kind + 1):
            layer = image.copy()
            for k in np.arange(-1.5 * w, 2.5 * w, step):
                a, b = ((k, -h), (k + 2 * h * turn, 2 * h)) if not horizontal else ((-w, k), (2 * w, k - 2 * w * turn))
                cv2.line(
                    layer, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), stripe, max(1, int(step * 0.4)), cv2.LINE_AA
                )
            image = cv2.addWeighted(image, 0.5, layer, 0.5, 0)
    for _ in range(4):  # folds
        y = random.uniform(0, 1.2) * h
        fold = limb(
            [(-5, y), (w * 0.5, y + random.normal(0, 0.15) * h), (w + 5, y + random.normal(0, 0.3) * h)],
            0.03 * h,
            0.01 * h,
        )
        fill(image, fold, blended(color, (0, 0, 0), 0.3))
    return _mottle(image, 5, 14, random)


def _wall(w, h, floor, random) -> np.ndarray:
    brick = blended((165, 100, 80), _hue(random), random.uniform(0.2, 0.9))
    image = _ramp(w, h, brick, blended(brick, (0, 0, 0), 0.2))
    row, mortar = max(4, int(random.uniform(0.05, 0.1) * h)), blended(brick, (220, 215, 205), 0.5)
    if random.random() < 0.6:
        for i, y in enumerate(range(0, max(floor, 1), row)):
            cv2.line(image, (0, y), (w, y), mortar, 1)
            for x in range((i % 2) * row, w, row * 2 + 2):
                cv2.line(image, (x, y), (x, y + row), mortar, 1)
        image[floor:] = _hue(random, 90, 170, 0.8)
    else:
        _planks(image, floor, _hue(random, 80, 170, 0.6), random)
    return _mottle(image, 8, 14, random)


def _park(w, h, floor, random) -> np.ndarray:
    sky, leaf = (198, 214, 226), np.array([random.uniform(60, 130), random.uniform(90, 140), random.uniform(40, 70)])
    floor = int(min(floor, h * random.uniform(0.3, 0.75)))
    image = _ramp(w, h, sky, blended(sky, leaf, 0.5))
    for _ in range(40):  # leaves and lights out of focus
        r = random.uniform(0.03, 0.12) * w
        tone = blended(leaf, sky if random.random() < 0.5 else (0, 0, 0), random.uniform(0, 0.45))
        fill(image, ellipse(random.uniform(0, w), random.uniform(-0.1, 1) * max(floor, 8), r, r, n=10), tone)
    grass = blended(leaf, (150, 160, 70), random.uniform(0, 0.7))
    image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.8, 3))
    if floor < h:
        image[floor:] = _ramp(w, h - floor, grass, blended(grass, (0, 0, 0), 0.25))
    for _ in range(50):
        x, y = random.uniform(0, w), random.uniform(floor, h)
        tip = (int(x + random.normal(0, 2)), int(y - random.uniform(2, 7)))
        cv2.line(
            image,
            (int(x), int(y)),
            tip,
            blended(grass, (220, 230, 120) if random.random() < 0.5 else (20, 40, 10), 0.4),
            1,
            cv2.LINE_AA,
        )
    return _mottle(image, 10, 12, random)


def _snow(w, h, floor, random) -> np.ndarray:
    ground = (226, 230, 236) if random.random() < 0.5 else (214, 190, 150)  # or a beach
    sky = blended((150, 180, 210), (225, 225, 225), random.random())
    floor = int(min(floor, h * random.uniform(0.25, 0.7)))
    image = _ramp(w, h, sky, blended(sky, (240, 240, 240), 0.4))
    for _ in range(12):
        fill(
            image,
            ellipse(random.uniform(0, w), floor, random.uniform(0.05, 0.2) * w, random.uniform(0.03, 0.25) * h, n=12),
            _hue(random, 60, 130, 0.6),
        )
    if floor < h:
        image[floor:] = _ramp(w, h - floor, blended(ground, (0, 0, 0), 0.12), ground)
    return _mottle(image, 6, 12, random)


def ground_shadow(image: np.ndarray, x: float, y: float, rx: float, ry: float, strength: float) -> None:
    """Darkens the ground under the animal."""
    h, w = image.shape[:2]
    small = np.zeros((max(8, h // 6), max(8, w // 6)), np.uint8)
    fill(small, ellipse(x / 6, y / 6, rx / 6, ry / 6), int(255 * strength))
    gain = cv2.resize(255 - cv2.GaussianBlur(small, (0, 0), 2.0), (w, h))
    image[:] = dim(image, gain)


def put_in_front(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Something blurred before the lens: blades of grass, a table's edge, a toy, or bars."""
    h, w = image.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    kind, color = random.integers(4), _hue(random, 40, 220, 0.2)
    if kind == 0:
        color = (int(random.uniform(60, 140)), int(random.uniform(100, 150)), 60)
        for _ in range(random.integers(5, 12)):
            x, tall = random.uniform(0, w), random.uniform(0.25, 0.8) * h
            fill(
                mask,
                limb(
                    [(x, h + 5), (x + random.normal(0, 9), h - tall * 0.6), (x + random.normal(0, 30), h - tall)],
                    0.014 * w,
                    1,
                ),
                255,
            )
    elif kind == 1:
        y, tilt = random.uniform(0.6, 0.85) * h, random.normal(0, 0.08) * h
        fill(mask, [(-9, y), (w + 9, y + tilt), (w + 9, h + 9), (-9, h + 9)], 255)
    elif kind == 2:
        r = random.uniform(0.1, 0.2) * w
        fill(
            mask,
            ellipse(random.uniform(0.1, 0.9) * w, random.uniform(0.55, 0.95) * h, r, r * random.uniform(0.7, 1)),
            255,
        )
    else:
        step, x = random.uniform(0.2, 0.4) * w, random.uniform(0, 0.3) * w
        while x < w:
            cv2.line(mask, (int(x), 0), (int(x), h), 255, max(2, int(0.02 * w)), cv2.LINE_AA)
            x += step
    size = int(random.uniform(0.005, 0.025) * w) * 2 + 1
    layer = _ramp(w, h, blended(color, (255, 255, 255), 0.15), blended(color, (0, 0, 0), 0.25))
    return mix(image, layer, cv2.blur(cv2.blur(mask, (size, size)), (size, size)))


def expose(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Exposure, contrast, colour of the light, focus, vignette and sensor noise."""
    h, w = image.shape[:2]
    if random.random() < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.1) * w / 300)
    gain, gamma, contrast = random.uniform(0.75, 1.15), np.exp(random.normal(0, 0.18)), random.uniform(0.75, 1.15)
    warm = random.normal(0, 0.06)
    x = np.arange(256) / 255
    tables = [np.clip((((x**gamma) * gain * t - 0.45) * contrast + 0.45), 0, 1) for t in (1 + warm, 1.0, 1 - warm)]
    image = cv2.LUT(image, (255 * np.stack(tables, axis=1)[None]).astype(np.uint8))
    column, row = np.linspace(-1, 1, w // 8) ** 2, np.linspace(-1, 1, h // 8)[:, None] ** 2
    fall = (255 * (1 - random.uniform(0, 0.22) * (column + row))).astype(np.uint8)
    image = dim(image, cv2.resize(fall, (w, h)))
    left, top = random.integers(0, TILE - w), random.integers(0, TILE - h)
    grain = hair_tile("noise")[top : top + h, left : left + w]
    level = random.uniform(0.02, 0.12)
    return cv2.addWeighted(image, 1, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB), level, -128 * level)
