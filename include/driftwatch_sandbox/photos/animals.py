"""Cats and dogs: bodies in three poses, and heads whose ears, muzzle, eyes and whiskers tell the class."""

import cv2
import numpy as np

from driftwatch_sandbox.photos.brush import Fur, View, ellipse, fill, hull, limb, mirrored, smooth, stroke
from driftwatch_sandbox.photos.coats import Coat, blended, body_marks, head_marks, shaded

SIDES = (-1, 1)


def draw_body(fur: Fur, view: View, label: str, coat: Coat, pose: str, random: np.random.Generator) -> None:
    """The body behind the head, in the frame of the head: `sit` (to the front), `stand` (to the side) or `lie`."""
    {"sit": _sit, "stand": _stand, "lie": _lie}[pose](fur, view, label == "cat", coat, random)


def _tail(fur: Fur, view: View, cat: bool, coat: Coat, path) -> None:
    thick = (0.2, 0.15) if cat else (0.28, 0.1)
    fur.paint(limb(view(path), thick[0] * view.scale, thick[1] * view.scale), coat.ears, shadow=0.2)


def _sit(fur, view, cat, coat, random) -> None:
    s, w, long = view.scale, random.uniform(0.9, 1.12), (3.3 if cat else 3.7) * random.uniform(0.93, 1.07)
    side = random.choice(SIDES)
    if cat:
        path = [(side * 0.9, long - 0.2), (side * 1.9, long - 0.1), (side * 2.1, long - 0.7), (side * 1.8, long - 1.2)]
    else:
        path = [(side * 0.9, long - 0.3), (side * 1.6, long - 0.5), (side * 2.1, long - 1.1)]
    _tail(fur, view, cat, coat, path)
    neck, shoulder, hip = (0.62, 0.92, 1.25) if cat else (0.62, 1.08, 1.15)
    half = [
        (0, 0),
        (neck * w, 0.4),
        (shoulder * w, 1.25),
        (hip * w, long * 0.72),
        (hip * w * 0.95, long),
        (0, long + 0.1),
    ]
    fur.paint(view(smooth(mirrored(half))), coat.base, body_marks(coat, view, random, -1.2, 1.2, long))
    for x in SIDES:
        fur.paint(view(ellipse(x * hip * w * 0.86, long * 0.84, 0.5, 0.75)), coat.base, soft=0.05 * s, shadow=0.15)
        fur.paint(view(ellipse(x * hip * w, long, 0.42, 0.2)), coat.paws, shadow=0.25)
    for x in SIDES:
        leg = [(x * 0.42, 1.7), (x * 0.4, long * 0.75), (x * 0.4, long)]
        fur.paint(limb(view(leg), 0.34 * s, 0.24 * s), coat.legs, soft=0.02 * s, shadow=0.3)
        fur.paint(view(ellipse(x * 0.42, long + 0.05, 0.32, 0.2)), coat.paws, shadow=0.2)


def _stand(fur, view, cat, coat, random) -> None:
    s, d = view.scale, random.choice(SIDES)
    length, floor = random.uniform(2.7, 3.4), (3.0 if cat else 3.3) * random.uniform(0.9, 1.1)
    belly = 1.85 if cat else 1.95

    def turned(points):
        return view(np.asarray(points, float) * (d, 1))

    if cat:
        path = [(length, 0.9), (length + 0.7, 0.5), (length + 0.9, -0.3), (length + 0.6, -0.9)]
    else:
        path = [(length, 0.9), (length + 0.6, 0.5), (length + 0.9, -0.1)]
    thick = (0.2, 0.15) if cat else (0.26, 0.12)
    fur.paint(limb(turned(path), thick[0] * s, thick[1] * s), coat.ears, shadow=0.2)
    far, thin = shaded(coat.legs, 0.7), 0.2 if cat else 0.25
    for x in (0.55, length - 0.55):
        fur.paint(limb(turned([(x, 1.5), (x + 0.1, 2.3), (x, floor - 0.15)]), 0.3 * s, thin * s), far, shadow=0.2)
    trunk = [(-0.3, 0.2), (0.6, 0.55), (length * 0.55, 0.75), (length, 0.72), (length + 0.32, 1.3),
             (length - 0.1, belly), (length * 0.5, belly + 0.02), (0.3, belly + 0.25),
             (-0.5, 1.5), (-0.55, 0.7)]  # fmt: skip
    ends = sorted((-0.4 * d, (length + 0.2) * d))
    fur.paint(turned(smooth(trunk)), coat.base, body_marks(coat, view, random, ends[0], ends[1], belly))
    for x in (0.0, length - 0.1):
        fur.paint(
            limb(turned([(x, 1.45), (x - 0.06, 2.3), (x, floor)]), 0.36 * s, thin * s),
            coat.legs,
            soft=0.03 * s,
            shadow=0.2,
        )
        fur.paint(turned(ellipse(x - 0.12, floor + 0.05, 0.3, 0.18)), coat.paws, shadow=0.2)


def _lie(fur, view, cat, coat, random) -> None:
    s, d = view.scale, random.choice(SIDES)
    length = random.uniform(2.0, 2.8)

    def turned(points):
        return view(np.asarray(points, float) * (d, 1))

    trunk = [(-0.9, 0.9), (-0.3, 0.3), (0.7, 0.25), (length * 0.7, 0.15), (length, 0.7), (length, 1.5),
             (length * 0.6, 1.75), (0, 1.8), (-0.9, 1.6)]  # fmt: skip
    ends = sorted((-0.9 * d, length * d))
    fur.paint(turned(smooth(trunk)), coat.base, body_marks(coat, view, random, ends[0], ends[1], 1.7))
    fur.paint(turned(ellipse(length * 0.72, 1.15, 0.62, 0.68)), coat.base, soft=0.05 * s, shadow=0.2)
    path = (
        [(length * 0.95, 1.5), (length * 0.7, 1.95), (length * 0.2, 1.95)]
        if cat
        else [(length, 1.4), (length + 0.7, 1.6), (length + 1, 1.4)]
    )
    fur.paint(limb(turned(path), 0.2 * s, 0.14 * s), coat.ears, shadow=0.2)
    for x in (-0.5, 0.35):
        fur.paint(limb(turned([(x, 1.3), (x - 0.2, 1.6), (x - 0.4, 1.75)]), 0.28 * s, 0.24 * s), coat.legs, shadow=0.25)
        fur.paint(turned(ellipse(x - 0.55, 1.8, 0.3, 0.2)), coat.paws, shadow=0.15)


def draw_head(fur: Fur, view: View, label: str, coat: Coat, ears: str, random: np.random.Generator) -> None:
    """The head. ears: `pricked`, `folded` (small, tipped forward) or `hanging`. Every class has some of each."""
    cat = label == "cat"
    wide = random.uniform(0.93, 1.08) if cat else random.uniform(0.86, 1.04)
    if ears != "hanging":
        _upright_ears(fur, view, cat, coat, ears, random)
    if cat:
        half = [(0, -0.8), (0.46, -0.75), (0.8, -0.46), (0.95, 0), (1.0, 0.32), (0.78, 0.64), (0.4, 0.84), (0, 0.9)]
    else:
        half = [(0, -0.85), (0.44, -0.79), (0.76, -0.5), (0.87, 0), (0.8, 0.36), (0.62, 0.66), (0.36, 0.9), (0, 0.98)]
    outline = smooth(mirrored(np.array(half) * (wide, 1)))
    # A turned head is no turned disc: it has depth, so its outline stays wide.
    skull = hull(view(outline), view(ellipse(0, 0, 0.3, 0.75), 0.55), view(ellipse(0, 0, 0.3, 0.75), -0.75))
    fur.paint(skull if abs(view.yaw) > 0.25 else view(outline), coat.base, head_marks(coat, view, random), shadow=0.45)
    (_cat_face if cat else _dog_face)(fur, view, coat, random)
    if ears == "hanging":
        _hanging_ears(fur, view, cat, coat, random)


def _upright_ears(fur, view, cat, coat, ears, random) -> None:
    s = view.scale
    tall = random.uniform(1.35, 1.62) if cat else random.uniform(1.35, 1.75)
    lean = random.uniform(0.62, 0.85) if cat else random.uniform(0.55, 0.85)
    for side in SIDES:
        base_in, base_out = (side * 0.2, -0.7, 0.05), (side * 0.93, -0.3, -0.1)
        tip = np.array([side * (lean + random.normal(0, 0.04)), -tall, -0.1])
        bend_out, bend_in = (side * (0.97 if cat else 1.0), -0.85, 0), (side * 0.36, -1.12, 0)
        blunt = 0.06 if cat else 0.15
        inner, outer = tip + np.array((-side * blunt, blunt, 0)), tip + np.array((side * blunt, blunt, 0))
        outline = view(smooth([base_in, bend_in, inner, outer, bend_out, base_out]))
        fur.paint(outline, coat.ears, bulge=0.5, shadow=0.1)
        middle = outline.mean(0)
        if ears == "pricked":
            inside = middle + (outline - middle) * 0.62 + (0, 0.06 * s)
            fur.paint(inside, coat.skin, bulge=-0.6, soft=0.03 * s, shadow=0)
        else:
            flap = [(0.25, -0.85, 0.2), (0.55, -1.2, 0.2), (0.95, -0.95, 0.2), (0.9, -0.5, 0.5), (0.62, -0.5, 0.6)]
            fur.paint(smooth(view(np.array(flap) * (side, 1, 1))), shaded(coat.ears, 0.92), shadow=0.3)


def _hanging_ears(fur, view, cat, coat, random) -> None:
    drop, out = random.uniform(0.25, 0.95), random.uniform(0.0, 0.22)
    if cat:
        drop, out = -0.1, 0.1
    for side in SIDES:
        flap = [(0.42, -0.78, 0.25), (0.8 + out, -0.72, 0.1), (1.08 + out, -0.1, 0), (1.08 + out, drop, 0),
                (0.86, drop + 0.12, 0.15), (0.7, drop - 0.25, 0.3), (0.66, -0.4, 0.35)]  # fmt: skip
        fur.paint(view(smooth(np.array(flap) * (side, 1, 1))), coat.ears, shadow=0.4)


def _eye(fur, view, x, y, z, rx, ry, tilt, iris, pupil) -> None:
    """One eye: dark rim, iris, pupil (its width and height as shares of the iris) and the glint of the light."""
    image, s = fur.image, view.scale
    fill(image, view(ellipse(x, y, rx * 1.22, ry * 1.25, tilt), z), (30, 24, 22))
    fill(image, view(ellipse(x, y, rx, ry, tilt), z), shaded(iris, 0.72))
    fill(image, view(ellipse(x, y + ry * 0.2, rx * 0.85, ry * 0.7, tilt), z), iris)
    fill(image, view(ellipse(x, y, rx * pupil[0], ry * pupil[1]), z), (12, 10, 10))
    glint = view([(x + rx * 0.5 * fur.light[0] - 0.02, y - ry * 0.4)], z)[0]
    fill(image, ellipse(glint[0], glint[1], 0.035 * s, 0.035 * s, n=8), (245, 245, 240))


def _cat_face(fur, view, coat, random) -> None:
    s = view.scale
    iris = [(196, 190, 82), (150, 176, 96), (206, 150, 60), (128, 170, 190), (176, 172, 120)][random.integers(5)]
    slit, squint = random.uniform(0.16, 0.72), random.uniform(0.7, 1.1)
    for side in SIDES:
        _eye(fur, view, side * 0.4, -0.06, 0.78, 0.2, 0.165 * squint, side * -0.25, iris, (slit, 0.98))
    fur.paint(view(ellipse(0, 0.64, 0.24, 0.17), 0.72), coat.muzzle, soft=0.02 * s, shadow=0.2)
    for side in SIDES:
        fur.paint(view(ellipse(side * 0.19, 0.45, 0.26, 0.2), 0.9), coat.muzzle, soft=0.03 * s, shadow=0.15)
    nose = view(smooth([(-0.14, 0.22), (0, 0.2), (0.14, 0.22), (0.06, 0.34), (0, 0.37), (-0.06, 0.34)], 4), 1.0)
    fill(fur.image, nose, blended(coat.skin, (60, 40, 40), random.uniform(0, 0.6)))
    for side in SIDES:
        mouth = view(
            smooth([(0, 0.36), (0.01 * side, 0.47), (0.12 * side, 0.56), (0.28 * side, 0.53)], 4, closed=False), 0.97
        )
        stroke(fur.image, mouth, shaded(coat.skin, 0.35), 0.035 * s)
    _whiskers(fur, view, 0.9 + 0.5 * random.random(), 4, random)


def _dog_face(fur, view, coat, random) -> None:
    s, reach, narrow = view.scale, random.uniform(0.45, 0.95), random.uniform(0.85, 1.1)
    iris = [(92, 58, 32), (70, 44, 28), (124, 84, 44), (60, 42, 34)][random.integers(4)]
    for side in SIDES:
        _eye(fur, view, side * 0.36, -0.14, 0.74, 0.13, 0.115, side * 0.15, iris, (0.55, 0.6))
    base, tip = view(ellipse(0, 0.34, 0.44 * narrow, 0.4), 0.6), view(ellipse(0, 0.5, 0.33 * narrow, 0.32), 0.6 + reach)
    if random.random() < 0.4:
        jaw = view(ellipse(0, 0.82, 0.26 * narrow, 0.24), 0.4 + reach)
        fur.paint(jaw, coat.muzzle, shadow=0.2)
        fill(fur.image, view(ellipse(0, 0.8, 0.21 * narrow, 0.18), 0.5 + reach), (52, 26, 28))
        if random.random() < 0.8:
            fill(
                fur.image,
                view(smooth(mirrored([(0, 0.72), (0.13, 0.76), (0.13, 1.0), (0, 1.1)])), 0.5 + reach),
                (205, 104, 108),
            )
    else:
        fur.paint(view(ellipse(0, 0.74, 0.25 * narrow, 0.2), 0.45 + reach), coat.muzzle, soft=0.02 * s, shadow=0.2)
    fur.paint(hull(base, tip), coat.muzzle, soft=0.03 * s, shadow=0.25)
    front = 0.85 + reach
    dark = blended((38, 32, 32), coat.skin, random.choice([0.0, 0.0, 0.3]))
    nose = smooth(mirrored([(0, 0.24), (0.15, 0.24), (0.21, 0.34), (0.12, 0.45), (0, 0.49)]), 4)
    fill(fur.image, view(nose, front), dark)
    for side in SIDES:
        fill(fur.image, view(ellipse(side * 0.09, 0.38, 0.045, 0.035), front), (10, 8, 8))
        mouth = smooth([(0, 0.48), (0.01 * side, 0.64), (0.2 * side, 0.73), (0.36 * side, 0.62)], 4, closed=False)
        stroke(
            fur.image,
            view(np.column_stack([mouth, front - 0.6 * np.abs(mouth[:, 0]) - 0.1])),
            shaded(coat.muzzle, 0.3),
            0.04 * s,
        )
    shine = view(ellipse(0.05 * fur.light[0], 0.28, 0.09, 0.025), front)
    fill(fur.image, shine, (120, 116, 116))
    if random.random() < 0.15:
        _whiskers(fur, view, 0.45, 3, random)


def _whiskers(fur, view, length, count, random) -> None:
    layer = fur.image.copy()
    tone = (240, 240, 236) if random.random() < 0.75 else (40, 38, 38)
    for side in SIDES:
        for i in range(count):
            y, rise = 0.4 + 0.05 * i, (i - count / 2) * 0.16 + random.normal(0, 0.05)
            path = [
                (side * 0.26, y, 1.0),
                (side * (0.26 + 0.5 * length), y + rise * 0.5 - 0.05, 0.8),
                (side * (0.26 + length), y + rise + 0.06, 0.5),
            ]
            stroke(layer, view(smooth(path, 5, closed=False)), tone, 0.012 * view.scale)
    cv2.addWeighted(layer, 0.7, fur.image, 0.3, 0, dst=fur.image)
