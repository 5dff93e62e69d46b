"""How kernels are compiled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from numba import njit

# Put into the kernels that call it, so it must stand in their file: the cache knows a kernel's own file alone.
inlined = njit(inline="always", error_model="numpy")
logger = logging.getLogger(__name__)
# A picture's rows in one piece, uint8 [height, 3 * width], as a kernel's argument: read only, as Pillow's are.
ROWS = "Array(uint8, 2, 'C', True)"


def compiled(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compiles for one signature at once, from Numba's cache where it has this processor's code already; without Python's lock.

    The cache is in NUMBA_CACHE_DIR, else beside the source, else in the user's cache folder. Where none of them can be written
    each process compiles for itself.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(signature, cache=True, nogil=True, error_model="numpy")(function)
        except (RuntimeError, OSError) as error:  # no folder for the cache, or a disk that is full
            logger.warning(
                "Compiling %s for this process alone (%s); set NUMBA_CACHE_DIR to a folder that can be written, to save "
                "each process some seconds",
                function.__name__,
                error,
            )
            return njit(signature, nogil=True, error_model="numpy")(function)

    return decorate
