"""The loops over pixels of the one pass, compiled by Numba: what OpenCV and NumPy would do in a dozen sweeps each.

Importing one of these modules takes about half a second, and some seconds more on a machine that has not compiled it yet (see
docs/decisions/0026-compiled-kernels.md): import them only in functions that are about to look at pixels. A kernel calls only
kernels of its own file, since Numba's cache looks at no other to see what has changed.

Numbers are cut back to 16 and 32 bits after each step (Numba would go on in 64), and each sweep is a loop of its own, so that
the compiler works on 8 to 32 pixels at a time. Sums are of whole numbers, or in a fixed order: the same on every machine.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType


@cache
def grey_kernels() -> ModuleType:
    """`kernels.grey`, imported when there are pixels to look at. To say `import` for each image would cost half a microsecond each time."""
    from driftwatch.images.kernels import grey

    return grey


@cache
def rgb_kernels() -> ModuleType:
    """`kernels.rgb`, likewise."""
    from driftwatch.images.kernels import rgb

    return rgb


@cache
def marker_kernels() -> ModuleType:
    """`kernels.markers`, likewise."""
    from driftwatch.images.kernels import markers

    return markers
