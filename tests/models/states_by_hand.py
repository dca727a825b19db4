"""States of one view, computed on its items alone: recurrent steps written out, torch's and transformers' own layers.

Shape legend: L items of the view, D width.
"""

from __future__ import annotations

import numpy as np
import torch
from published import Published
from recomputed import embedded, linear, normed, sigmoid, torch_layer
from torch import nn


def log_days(seconds: float) -> float:
    """Half a day at least."""
    return np.log(max(0.5, seconds / 86_400))


def time4lstm(w: dict[str, np.ndarray], name: str, x_LD: np.ndarray, seconds: list[int]) -> list[np.ndarray]:
    """All states of a Time4LSTM: an LSTM (forget bias 1) with gates of the pause and of the time since the start."""
    h = c = np.zeros(x_LD.shape[1])
    found = []
    for t, x in enumerate(x_LD):
        pause = np.tanh(linear(w, f"{name}.gap", [log_days(seconds[t] - seconds[max(0, t - 1)])]))
        since = np.tanh(linear(w, f"{name}.since", [log_days(seconds[t] - seconds[0])]))
        pause_o, pause_gate = np.split(linear(w, f"{name}.gap_to", pause), 2)
        since_o, since_gate = np.split(linear(w, f"{name}.since_to", since), 2)
        i, j, f, o, p, q = np.split(linear(w, f"{name}.token", x), 6)
        h_i, h_j, h_f, h_o = np.split(linear(w, f"{name}.state", h), 4)
        keep = sigmoid(f + h_f + 1) * sigmoid(q + since_gate)
        take = sigmoid(i + h_i) * sigmoid(p + pause_gate)
        c = keep * c + take * np.tanh(j + h_j)
        h = sigmoid(o + h_o + pause_o + since_o) * np.tanh(c)
        found.append(h)
    return found


def gru(w: dict[str, np.ndarray], name: str, x_LD: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The last state of a GRU that begins from ``h``."""
    for x in x_LD:
        of_x = np.split(w[f"{name}.cell.weight_ih_l0"] @ x + w[f"{name}.cell.bias_ih_l0"], 3)
        of_h = np.split(w[f"{name}.cell.weight_hh_l0"] @ h + w[f"{name}.cell.bias_hh_l0"], 3)
        reset, update = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
        h = (1 - update) * np.tanh(of_x[2] + reset * of_h[2]) + update * h
    return h


def lstm(model: Published, view: str, items: list[int]) -> np.ndarray:
    """The last output of torch's LSTM with the weights of one layer."""
    own = {k.removeprefix(f"{view}.cell."): torch.from_numpy(v) for k, v in model.weights.items() if k.startswith(view)}
    cell = nn.LSTM(6, 6, batch_first=True).double()
    cell.load_state_dict(own)
    with torch.no_grad():
        return cell(torch.from_numpy(embedded(model, items))[None])[0][0, -1].numpy()


def transformer(model: Published, view: str, items: list[int], blocks: int) -> np.ndarray:
    """The last state of torch's own layers, with a causal mask."""
    w, n = model.weights, len(items)
    h_1LD = torch.from_numpy(embedded(model, items) + w[f"{view}.positions.weight"][:n])[None]
    with torch.no_grad():
        for i in range(blocks):
            layer = torch_layer(w, f"{view}.blocks.{i}", 1, "relu")
            h_1LD = layer(h_1LD, src_mask=torch.ones(n, n, dtype=torch.bool).triu(1))
    return normed(w, f"{view}.norm", h_1LD[0, -1].numpy())
