"""How much each coefficient of a JPEG's block counts in averages over the block's squares, and in single pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from driftwatch.images.entropy import Component


@lru_cache(maxsize=32)
def block_weights(
    components: tuple[Component, ...], steps: tuple[bytes, ...], side: int
) -> tuple[np.ndarray, np.ndarray]:
    """The arguments `of_areas` and `of_pixels` of `kernels.blocks.read_blocks`, for averages over squares of `side` pixels. Kept for the next file that was
    made in the same way. `steps`: the quantisation of each component's coefficients, float32 [64]."""
    from driftwatch.images.kernels.blocks import MOST_AREAS

    of_areas, of_pixels = np.zeros((len(components), 64, MOST_AREAS), np.float32), []
    for number, component in enumerate(components):
        ratios = components[0].across // component.across, components[0].down // component.down
        step = np.frombuffer(steps[number], np.float32)
        areas, pixels = _of_block(*ratios, *(8 * ratio // side for ratio in ratios))
        of_areas[number, :, : len(areas)] = (areas * step).T
        of_pixels.append(pixels * step)
    return of_areas, np.ascontiguousarray(np.concatenate(of_pixels))


@lru_cache(maxsize=32)
def _of_block(ratio_across: int, ratio_down: int, sums_across: int, sums_down: int) -> tuple[np.ndarray, np.ndarray]:
    """How much each coefficient, in zigzag order, counts in the averages over a block's squares and in each pixel that it covers."""
    place, wave = np.arange(8), np.arange(8)
    cosines = np.cos((2 * place[:, None] + 1) * wave * np.pi / 16) * np.where(wave == 0, np.sqrt(1 / 8), 1 / 2)

    def both(down: np.ndarray, across: np.ndarray) -> np.ndarray:
        return np.einsum("yv,xu->yxvu", down, across).reshape(-1, 64)

    def averaged(sums: int) -> np.ndarray:
        return cosines.reshape(sums, 8 // sums, 8).mean(axis=1)

    def enlarged(ratio: int) -> np.ndarray:
        """As libjpeg's triangle filter, within the block."""
        if ratio == 1:
            return cosines
        beside = np.stack([np.maximum(place - 1, 0), np.minimum(place + 1, 7)], axis=1).ravel()
        return 0.75 * np.repeat(cosines, 2, axis=0) + 0.25 * cosines[beside]

    down, across = np.divmod(np.arange(64), 8)
    diagonal = down + across
    zigzag = np.lexsort((np.where(diagonal % 2, down, across), diagonal))
    areas, pixels = (
        both(averaged(sums_down), averaged(sums_across)),
        both(enlarged(ratio_down), enlarged(ratio_across)),
    )
    return areas[:, zigzag].astype(np.float32), pixels[:, zigzag].astype(np.float32)
