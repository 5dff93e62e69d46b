"""How kernels are compiled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import njit
from numba.core import config

# Put into the kernels that call it, so it must stand in their file: the cache knows a kernel's own file alone.
inlined = njit(inline="always", error_model="numpy")
_SETTINGS: dict[str, Any] = vars(config)
logger = logging.getLogger(__name__)
# A picture's rows in one piece, uint8 [height, 3 * width], as a kernel's argument: read only, as Pillow's are.
ROWS = "Array(uint8, 2, 'C', True)"


def compiled(signature: str, *, registers: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compiles for one signature at once, from Numba's cache where it has this processor's code already; without Python's lock.

    `registers`: four equal steps outside of a loop go through one register too (LLVM's SLP vectorizer, which Numba leaves out).
    The cache is in NUMBA_CACHE_DIR, else beside the source, else in the user's cache folder. Where none of them can be written
    each process compiles for itself.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            with _registers(registers):
                return njit(signature, cache=True, nogil=True, error_model="numpy")(function)
        except (RuntimeError, OSError) as error:  # no folder for the cache, or a disk that is full
            logger.warning(
                "Compiling %s for this process alone (%s); set NUMBA_CACHE_DIR to a folder that can be written, to save "
                "each process some seconds",
                function.__name__,
                error,
            )
            with _registers(registers):
                return njit(signature, nogil=True, error_model="numpy")(function)

    return decorate


@contextmanager
def _registers(wanted: bool) -> Iterator[None]:
    before = _SETTINGS["SLP_VECTORIZE"]
    _SETTINGS["SLP_VECTORIZE"] = int(wanted or before)
    try:
        yield
    finally:
        _SETTINGS["SLP_VECTORIZE"] = before
