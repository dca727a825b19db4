"""A random order of users or items that depends on their own names and a seed, not on how a file is sorted.

Users and items are numbered by first appearance, so drawing numbers would draw others when the same rows come in
another order. Here each name is hashed instead (FNV-1a over its characters, then the finalizer of SplitMix64).

Shape legend: X users or items.
"""

from __future__ import annotations

import numpy as np

from research.errors import UserError

_PRIME = np.uint64(0x100000001B3)
_BASIS = 0xCBF29CE484222325


def shuffled_place(ids_X: np.ndarray, seed: int) -> np.ndarray:
    """``(X,)`` the place of each in a random order: a permutation of 0 to X - 1.

    Args:
        ids_X: distinct names, as strings.
        seed: at least 0.
    """
    letters_XL = np.ascontiguousarray(ids_X).view(np.uint32).reshape(len(ids_X), -1)
    with np.errstate(over="ignore"):  # the arithmetic is modulo 2^64
        hash_X = np.full(len(ids_X), _mixed(np.array([_BASIS + seed], dtype=np.uint64))[0])
        for letter_X in letters_XL.T:
            # A name that ends earlier is padded with zeros: they count nothing, however long other names are.
            hash_X = np.where(letter_X > 0, (hash_X ^ letter_X) * _PRIME, hash_X)
        hash_X = _mixed(hash_X)
    place_X = np.empty(len(ids_X), dtype=np.int64)
    place_X[np.argsort(hash_X, kind="stable")] = np.arange(len(ids_X))
    return place_X


def drawn(ids_X: np.ndarray, share: float, seed: int) -> np.ndarray:
    """``(X,)`` whether each is among the drawn: the share rounded down, to no less than one."""
    return shuffled_place(ids_X, seed) < max(1, int(share * len(ids_X) + 1e-9))


def check_share(key: str, share: float) -> None:
    """Check a setting of a split.

    Raises:
        UserError: it is no share between 0 and 1.
    """
    if not 0 < share < 1:
        raise UserError(f"split.{key} is {share:g}; it is a share between 0 and 1.")


def check_seed(seed: int) -> None:
    """Check a setting of a split.

    Raises:
        UserError: it is negative.
    """
    if seed < 0:
        raise UserError(f"split.seed is {seed}; it must not be negative.")


def _mixed(hash_X: np.ndarray) -> np.ndarray:
    hash_X = (hash_X ^ (hash_X >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hash_X = (hash_X ^ (hash_X >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hash_X ^ (hash_X >> np.uint64(31))
