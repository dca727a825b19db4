"""Principal components and whitening of item vectors.

Both are fitted to items that training met, so that an item which is added later changes nothing for the others. Signs
are settled (the largest entry of a direction is positive): another machine finds the same directions.

Shape legend: I items, F items that it is fitted to, E given numbers, K kept ones.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from research.errors import UserError

Kind = Literal["none", "pca", "whiten"]
NO_SPREAD = 1e-7
"""Directions of less than this share of the largest variance hold rounding; they become zeros."""


def reduced(vectors_IE: np.ndarray, fit_I: np.ndarray, kind: Kind, components: int | None) -> np.ndarray:
    """``(I, K)`` float32: as they are, in principal components, or in such components of variance 1.

    Args:
        vectors_IE: of all items.
        fit_I: whose mean and variance count.
        kind: which of the three.
        components: how many are kept, the largest first; ``None``: all.

    Raises:
        UserError: more components are asked for than there are numbers, or components without ``pca`` or ``whiten``.
    """
    width = vectors_IE.shape[1]
    if kind == "none":
        if components is not None:
            raise UserError(f"components={components} are kept by reduce=pca or reduce=whiten. Say one of these too.")
        return vectors_IE.astype(np.float32)
    kept = width if components is None else components
    if not 1 <= kept <= width:
        raise UserError(
            f"components={components}: the vectors have {width} numbers. Use 1 to {width}, or null for all."
        )
    fitted_FE = vectors_IE[fit_I].astype(np.float64)
    mean_E = fitted_FE.mean(axis=0)
    fitted_FE -= mean_E
    variance_E, direction_EE = np.linalg.eigh(fitted_FE.T @ fitted_FE / max(1, len(fitted_FE)))
    variance_K, direction_EK = variance_E[::-1][:kept], direction_EE[:, ::-1][:, :kept]
    largest_K = np.take_along_axis(direction_EK, np.abs(direction_EK).argmax(axis=0)[None], axis=0)[0]
    real_K = variance_K > NO_SPREAD * max(float(variance_E.max()), 1e-300)
    scale_K = np.where(real_K, np.where(largest_K < 0, -1.0, 1.0), 0.0)
    if kind == "whiten":
        scale_K = scale_K / np.sqrt(np.where(real_K, variance_K, 1.0))
    return ((vectors_IE.astype(np.float64) - mean_E) @ (direction_EK * scale_K)).astype(np.float32)
