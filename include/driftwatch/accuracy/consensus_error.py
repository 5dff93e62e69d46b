"""The chance that the class with the most votes is a wrong one, for any number of votes and of classes.

The number of wrong votes on an image is beta-binomial: each image has its own chance of a wrong vote, drawn from a beta distribution.
Which classes the wrong votes name follows a symmetric Polya urn over the wrong classes (Dirichlet-multinomial): a class that was named
becomes likelier. Its one parameter is the chance k that two wrong votes name the same class. With k = 1 all name one class; with
k = 1 / (wrong classes) each names any of them, independently.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np

# Correlations and chances at which the formulas would divide by zero are kept this far away.
TINY = 1e-6
# Urns are computed for these k between even (0) and a single class (1), and interpolated: finer where wrong majorities are rare.
_PLACES = np.linspace(0, 1, 41) ** 2


def numbers_wrong(wrong: np.ndarray, correlation: np.ndarray, size: int) -> list[np.ndarray]:
    """The chances of 0, 1, … `size` wrong votes among `size`, beta-binomial, each [draws, classes]. `wrong`: [draws, classes];
    `correlation`: [draws]."""
    odds = (correlation / (1 - correlation))[:, None]
    bad, good = [np.ones(wrong.shape)], [np.ones(wrong.shape)]
    for i in range(size):
        bad.append(bad[-1] * np.maximum(wrong + i * odds, 0))
        good.append(good[-1] * np.maximum(1 - wrong + i * odds, 0))
    found = [comb(size, k) * bad[k] * good[size - k] for k in range(size + 1)]
    # The sum may be below 1: with a negative correlation, numbers of votes whose chance would be negative are left out.
    whole = sum(found)
    return [chance / whole for chance in found]


def majority_error(
    wrong: np.ndarray, correlation: np.ndarray, size: int, ties: bool, alike: np.ndarray | None = None
) -> np.ndarray:
    """The chance that the label by most of `size` votes is wrong, [draws, classes].

    `alike` [draws]: the chance that two wrong votes name one class; None where there is one wrong class, or where all wrong votes name
    one. `ties`: whether a tied vote gives a label too, by lot; else it gives none and does not count.
    """
    wrongs = max(wrong.shape[1] - 1, 1)
    bad, tied, right = np.zeros(wrong.shape), np.zeros(wrong.shape), np.zeros(wrong.shape)
    for k, chance in enumerate(numbers_wrong(wrong, correlation, size)):
        lost, drawn, half = (_at(alike, of_k, wrongs)[:, None] for of_k in _outcomes(size, k, wrongs))
        bad += chance * lost
        tied += chance * drawn
        right += chance * half
    # A tie by lot is wrong but for the share of the right class among the tied.
    return bad + tied - right if ties else bad / np.maximum(1 - tied, TINY)


def different_answers(
    numbers: list[np.ndarray], alike: np.ndarray, size: int, wrongs: int
) -> tuple[np.ndarray, np.ndarray]:
    """The chances [draws] that `size` votes are not all the same, and that they name three classes or more. `numbers`: of wrong votes."""
    unanimous, two = numbers[0].copy(), np.zeros(len(alike))
    for k in range(1, size + 1):
        one_wrong, two_wrong = (_at(alike, of_k, wrongs) for of_k in _named(k, wrongs))
        if k < size:
            two += numbers[k] * one_wrong
        else:
            unanimous, two = unanimous + numbers[k] * one_wrong, two + numbers[k] * two_wrong
    return 1 - unanimous, np.maximum(1 - unanimous - two, 0)


def _at(alike: np.ndarray | None, table: np.ndarray, wrongs: int) -> np.ndarray:
    """A row of `table` [places] at each `alike`."""
    if alike is None or wrongs == 1:
        return table[-1:]
    return np.interp((alike - 1 / wrongs) / (1 - 1 / wrongs), _PLACES, table)


def _urn(size: int, wrongs: int) -> np.ndarray:
    """For each place but the last: the weight of j votes for one given class, [places, size + 1]. The chance of counts n_1, n_2, … is
    k! times the product of their weights, divided by the weight of all classes together (`_whole`)."""
    growth = _growth(wrongs)[:, None]
    steps = (1 + growth * np.arange(max(size, 1))) / (wrongs * np.arange(1, max(size, 1) + 1))
    return np.concatenate([np.ones((len(growth), 1)), np.cumprod(steps, axis=1)], axis=1)[:, : size + 1]


def _growth(wrongs: int) -> np.ndarray:
    """By how much a class that was named becomes likelier, at each place but the last, where it is infinite."""
    k = 1 / wrongs + (1 - 1 / wrongs) * _PLACES[:-1]
    return (k * wrongs - 1) / (1 - k)


def _whole(k: int, wrongs: int) -> np.ndarray:
    """All weights of k votes together, over k!: [places]."""
    steps = (1 + _growth(wrongs)[:, None] / wrongs * np.arange(max(k, 1))) / np.arange(1, max(k, 1) + 1)
    return np.prod(steps[:, :k], axis=1)


def _power(weights: np.ndarray, power: int, size: int) -> np.ndarray:
    """The weights of `size` votes over `power` classes, each of which has the `weights` [places, most + 1]: a power of a series."""
    if power == 0 or size == 0:
        return np.full(len(weights), float(size == 0))
    found = np.zeros((len(weights), size + 1))
    found[:, 0] = 1
    for j in range(1, size + 1):
        i = np.arange(1, min(j, weights.shape[1] - 1) + 1)
        found[:, j] = ((i * (power + 1) / j - 1) * weights[:, i] * found[:, j - i]).sum(axis=1)
    return found[:, size]


@lru_cache(maxsize=4096)
def _outcomes(size: int, k: int, wrongs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For k wrong votes of `size`, at each place: the chance of a wrong label, of a tie, and of a tie times the right class' share in it."""
    right = size - k
    bad, tied, half = (np.zeros(len(_PLACES)) for _ in range(3))
    if wrongs > 1 and k:
        weights, whole = _urn(k, wrongs), _whole(k, wrongs)
        for most in range(max(right, 1), k + 1):
            for classes in range(1, min(k // most, wrongs) + 1):
                rest = _power(weights[:, :most], wrongs - classes, k - most * classes)
                chance = comb(wrongs, classes) * weights[:, most] ** classes * rest / whole
                if most == right:
                    tied[:-1] += chance
                    half[:-1] += chance / (classes + 1)
                elif classes == 1:
                    bad[:-1] += chance
                else:
                    tied[:-1] += chance
    bad[-1], tied[-1], half[-1] = k > right, k == right, (k == right) / 2
    return bad, tied, half


@lru_cache(maxsize=4096)
def _named(k: int, wrongs: int) -> tuple[np.ndarray, np.ndarray]:
    """The chance that k wrong votes name one class, and that they name two, at each place."""
    one, two = np.ones(len(_PLACES)), np.zeros(len(_PLACES))
    if wrongs > 1:
        weights, whole = _urn(k, wrongs), _whole(k, wrongs)
        one[:-1] = wrongs * weights[:, k] / whole
        halves = sum((weights[:, j] * weights[:, k - j] for j in range(1, k)), start=np.zeros(len(weights)))
        two[:-1] = comb(wrongs, 2) * halves / whole
    return one, two
