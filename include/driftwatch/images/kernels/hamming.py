"""Links between hashes that differ in few bits."""

from __future__ import annotations

import numpy as np

from driftwatch.images.kernels.compiled import compiled


@compiled("void(uint64[::1], int64[::1], uint64, int64, int64[::1])")
def join_near(numbers: np.ndarray, order: np.ndarray, mask: int, max_distance: int, parents: np.ndarray) -> None:
    """Joins the trees of each two numbers that agree in the bits of `mask` and differ in at most `max_distance` others.

    `order`: the places of `numbers` sorted by `numbers & mask`. `parents`: a forest over the places, where a root is its own parent;
    a root is the smallest place of its tree. Two numbers that are in one tree already are not compared.
    """
    size, start, longest, run = len(order), 0, 0, 0
    for at in range(size):
        run = run + 1 if at > 0 and numbers[order[at]] & mask == numbers[order[at - 1]] & mask else 1
        longest = max(longest, run)
    values, roots = np.empty(longest, np.uint64), np.empty(longest, np.int64)
    while start < size:
        key = numbers[order[start]] & mask
        stop, joined = start, True
        while stop < size and numbers[order[stop]] & mask == key:
            place = order[stop]
            root = place
            while parents[root] != root:
                root = parents[root]
            while parents[place] != root:  # the next search is shorter
                parents[place], place = root, parents[place]
            values[stop - start], roots[stop - start] = numbers[order[stop]], root
            joined = joined and root == roots[0]
            stop += 1
        for one in range(0 if joined else stop - start):
            value, root = values[one], roots[one]
            for other in range(one):
                if roots[other] == root:
                    continue
                bits = value ^ values[other]
                bits = bits - (bits >> np.uint64(1) & np.uint64(0x5555555555555555))
                bits = (bits & np.uint64(0x3333333333333333)) + (bits >> np.uint64(2) & np.uint64(0x3333333333333333))
                bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
                if np.int64(bits * np.uint64(0x0101010101010101) >> np.uint64(56)) > max_distance:
                    continue
                ours, theirs = root, roots[other]
                while parents[ours] != ours:
                    ours = parents[ours]
                while parents[theirs] != theirs:
                    theirs = parents[theirs]
                parents[max(ours, theirs)] = min(ours, theirs)
        start = stop
