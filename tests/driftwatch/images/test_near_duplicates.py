"""Perceptual hashes: copies are near, other pictures far, and clusters chain."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from driftwatch.images import near_duplicates
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


def scenes(seed: int, count: int, most_flips: int) -> list[str]:
    """Hashes of `count` pictures of a third as many scenes, some bits of each flipped."""
    rng = np.random.default_rng(seed)
    known = rng.integers(0, 2**64, count // 3 + 1, np.uint64)
    flips = [
        sum(1 << int(bit) for bit in rng.choice(64, rng.integers(0, most_flips + 1), replace=False))
        for _ in range(count)
    ]
    return [f"{int(scene) ^ flip:016x}" for scene, flip in zip(rng.choice(known, count), flips, strict=True)]


@pytest.mark.parametrize("agreeing", [1, 2, 3, 4])
@pytest.mark.parametrize("max_distance", [0, 1, 3, 6, 9])
def test_the_clusters_are_those_of_comparing_all_pairs_however_the_bits_are_cut(max_distance, agreeing, monkeypatch):
    monkeypatch.setattr(near_duplicates, "_stretches", lambda n, max_distance: agreeing)
    for seed in range(6):
        hashes = scenes(seed, 600, most_flips=5)
        near = distances(hashes, hashes) <= max_distance
        expected = connected_components(near, directed=False)[1]

        clusters = near_duplicate_clusters(hashes, max_distance)

        assert ((clusters[:, None] == clusters) == (expected[:, None] == expected)).all()
        assert 1 < len(set(clusters.tolist())) < 600


def test_two_hashes_are_linked_whichever_bits_they_differ_in():
    rng = np.random.default_rng(3)
    for _ in range(300):
        flipped = sum(1 << int(bit) for bit in rng.choice(64, 7, replace=False))
        first = int(rng.integers(0, 2**64, dtype=np.uint64))
        six = first ^ (flipped & (flipped - 1))
        assert near_duplicate_clusters([f"{first:016x}", f"{six:016x}"]).tolist() == [0, 0]
        assert near_duplicate_clusters([f"{first:016x}", f"{first ^ flipped:016x}"]).tolist() == [0, 1]


def test_a_camera_that_is_stuck_gives_one_cluster():
    """Tens of thousands of hashes that are all near each other."""
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 64, (20_000, 3))
    hashes = [f"{(1 << int(a)) ^ (1 << int(b)) ^ (1 << int(c)):016x}" for a, b, c in bits]

    assert set(near_duplicate_clusters(hashes).tolist()) == {0}


def test_more_hashes_are_to_agree_on_more_bits():
    chosen = [near_duplicates._stretches(n, 6) for n in (0, 1_000, 1_000_000, 100_000_000)]
    assert chosen == sorted(chosen)
    assert chosen[0] == 1
    assert chosen[-1] >= 3


def test_flat_pictures_have_one_hash_whatever_their_grey():
    hashes = {perceptual_hash(np.full((90, 120, 3), value, np.uint8)) for value in (1, 77, 128, 255)}
    assert hashes == {"8000000000000000"}
