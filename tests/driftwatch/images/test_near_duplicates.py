"""Perceptual hashes: copies are near, other pictures far, and clusters chain."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from driftwatch.images.near_duplicates import distances, near_duplicate_clusters, perceptual_hash


def picture(seed: int) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (9, 12, 3)).astype(np.uint8)
    return cv2.resize(rough, (400, 300), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("change", ["resized", "recompressed", "brighter", "one frame later"])
def test_a_changed_copy_is_near_and_another_picture_is_far(change):
    original = picture(1)
    copy = {
        "resized": lambda: cv2.resize(original, (200, 150), interpolation=cv2.INTER_AREA),
        "recompressed": lambda: cv2.imdecode(cv2.imencode(".jpg", original, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),
        "brighter": lambda: cv2.convertScaleAbs(original, alpha=1.1, beta=5),
        "one frame later": lambda: np.roll(original, 3, axis=1),
    }[change]()

    assert distances([perceptual_hash(original)], [perceptual_hash(copy)])[0, 0] <= 6
    assert distances([perceptual_hash(original)], [perceptual_hash(picture(2))])[0, 0] > 12


def test_hashes_that_are_linked_by_near_ones_are_one_cluster():
    chain = [f"{value:016x}" for value in (0b0, 0b111111, 0b111111111111)]
    far = "f" * 16

    assert near_duplicate_clusters([chain[0], far, *chain[1:]], max_distance=6).tolist() == [0, 1, 0, 0]
    assert near_duplicate_clusters([chain[0], far, chain[2]], max_distance=6).tolist() == [0, 1, 2]
    assert near_duplicate_clusters([]).tolist() == []


def test_many_hashes_are_clustered_across_the_blocks_of_rows_that_are_compared_at_once():
    hashes = [f"{value:016x}" for value in np.random.default_rng(0).integers(0, 2**63, 1_300)]

    clusters = near_duplicate_clusters([*hashes, hashes[5]])

    assert clusters[-1] == clusters[5]
    assert len(set(clusters)) == 1_300


def test_the_clusters_of_many_hashes_are_those_of_comparing_all_pairs():
    rng = np.random.default_rng(1)
    scenes = rng.integers(0, 2**63, 900)
    flips = [sum(1 << int(bit) for bit in rng.choice(63, rng.integers(0, 5), replace=False)) for _ in range(2_000)]
    hashes = [f"{int(scene) ^ flip:016x}" for scene, flip in zip(rng.choice(scenes, 2_000), flips, strict=True)]
    near = distances(hashes, hashes) <= 6
    expected = connected_components(near, directed=False)[1]

    clusters = near_duplicate_clusters(hashes)

    assert ((clusters[:, None] == clusters) == (expected[:, None] == expected)).all()
    assert 1 < len(set(clusters)) < 1_000


def test_flat_pictures_have_one_hash_whatever_their_grey():
    hashes = {perceptual_hash(np.full((90, 120, 3), value, np.uint8)) for value in (1, 77, 128, 255)}
    assert hashes == {"8000000000000000"}
