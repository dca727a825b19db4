"""What tests of models share: plain formulas, a layer of torch with the same weights, a loss with known draws.

Shape legend: N asked positions, I items, T positions, D width, K negatives.
"""

from __future__ import annotations

import numpy as np
import torch
from published import ITEMS, Published
from torch import nn

POSITIONS = [(b, t) for b, row in enumerate(ITEMS) for t in range(len(row))]
FOLLOWED = [n for n, (b, t) in enumerate(POSITIONS) if t + 1 < len(ITEMS[b])]
"""The real positions that a next item follows, by their place in ``POSITIONS``."""
NEXT = [ITEMS[b][t + 1] for b, t in POSITIONS if t + 1 < len(ITEMS[b])]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def silu(x):
    return x * sigmoid(x)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def norm(x, weight: np.ndarray | float = 1.0, bias: np.ndarray | float = 0.0):
    """A layer's norm of one vector."""
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * weight + bias


def normed(weights: dict[str, np.ndarray], name: str, x):
    return norm(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def linear(weights: dict[str, np.ndarray], name: str, x):
    return weights[f"{name}.weight"] @ x + weights.get(f"{name}.bias", 0.0)


def embedded(model: Published, row: list[int]) -> np.ndarray:
    """``(T, D)`` the items of a row as encoders read them."""
    return model.vector(torch.tensor(row)) * model.items_ID.shape[1] ** 0.5


def torch_layer(weights: dict[str, np.ndarray], block: str, heads: int, activation: str) -> nn.TransformerEncoderLayer:
    """torch's own layer, norms first, with the weights of one of our blocks."""
    width, inner = weights[f"{block}.outer.weight"].shape
    layer = nn.TransformerEncoderLayer(width, heads, inner, 0.0, activation, batch_first=True, norm_first=True)
    names = {
        "self_attn.in_proj_": "qkv.",
        "self_attn.out_proj.": "out.",
        "linear1.": "inner.",
        "linear2.": "outer.",
        "norm1.": "norm_attention.",
        "norm2.": "norm_inner.",
    }
    state = {
        f"{a}{k}": torch.from_numpy(weights[f"{block}.{b}{k}"]) for a, b in names.items() for k in ("weight", "bias")
    }
    layer.double().eval().load_state_dict(state)
    return layer


def transformer_scores(model: Published, blocks: int, heads: int = 1) -> np.ndarray:
    """``(N, I)`` SASRec: the paper's equations 1 to 5 and 7, each row in a pass of its own."""
    weights, scores = model.weights, []
    layers = [torch_layer(weights, f"long.blocks.{i}", heads, "relu") for i in range(blocks)]
    for row in ITEMS:
        h_TD = torch.from_numpy(embedded(model, row) + weights["long.positions.weight"][: len(row)])[None]
        for layer in layers:
            with torch.no_grad():
                h_TD = layer(h_TD, src_mask=torch.ones(len(row), len(row), dtype=torch.bool).triu(1))
        scores += [model.items_ID @ normed(weights, "long.norm", h) for h in h_TD[0].numpy()]
    return np.stack(scores)


def loss_of(model: Published, drawn: list | None = None) -> float:
    """The framework's loss summed over all positions that a next item follows.

    Args:
        model: a model that predicts next items.
        drawn: items (from 1) that the loss is made to draw, of the shape that it asks for.
    """
    parts = model.parts
    supervised = parts.objective.supervise(model.batch, np.random.default_rng(0))
    if drawn is not None:
        row = torch.tensor(drawn) - 1

        def draw(shape: tuple[int, ...], target_N: torch.Tensor) -> torch.Tensor:
            assert tuple(shape) == tuple(row.shape)
            return row

        parts.loss.draw.forward = draw  # type: ignore[union-attr, method-assign]
    with torch.no_grad():
        fused = parts.model(supervised.batch, supervised.at)
        return float(parts.loss(fused, supervised.target_N - 1, parts.model.items))
