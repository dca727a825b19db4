"""Useful work of a training epoch: matrix products on real tokens, three times the forward pass. Padding is no work.

Shape legend: S training spans.
"""

from __future__ import annotations

import numpy as np


def transformer_epoch(
    length_S: np.ndarray, n_items: int, *, max_length: int, width: int = 64, inner: int = 64, blocks: int = 2
) -> float:
    """FLOPs of an epoch of a causal transformer with softmax over the catalogue.

    Args:
        length_S: items of each span; inputs are shifted, so one less is read.
        n_items: size of the catalogue.
        max_length: longest row; longer spans keep their latest items.
        width: of states.
        inner: of the feed-forward layers.
        blocks: layers.
    """
    token_S = np.minimum(length_S - 1, max_length).clip(0).astype(np.float64)
    tokens = token_S.sum()
    pairs = (token_S * (token_S + 1) / 2).sum()  # what a causal position may see
    linear = 2 * tokens * (3 * width * width + width * width + 2 * width * inner)
    attention = 2 * 2 * pairs * width
    logits = 2 * tokens * width * n_items
    return float(3 * (blocks * (linear + attention) + logits))
