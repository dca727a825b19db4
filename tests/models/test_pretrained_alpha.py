"""One GPT-2 of transformers over history and window, mixed by one number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import ITEMS
from recomputed import embedded, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def gpt2(model):
    """transformers' own, with the weights of the model."""
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(n_embd=6, n_layer=2, n_head=2, n_positions=8, vocab_size=1)
    own = GPT2Model(config).double().eval()
    state = {k.removeprefix("short.model."): torch.from_numpy(v) for k, v in model.weights.items() if "short." in k}
    missing, unexpected = own.load_state_dict(state, strict=False)
    assert missing == ["wte.weight"] and not unexpected, "only the words of a language are left out"
    return own


def expected(model, k: int, a: float) -> np.ndarray:
    backbone, scores = gpt2(model), []

    def state(items: list[int]) -> np.ndarray:
        with torch.no_grad():
            read = backbone(inputs_embeds=torch.from_numpy(embedded(model, items))[None])
        return read.last_hidden_state[0, -1].numpy()

    for row in ITEMS:
        for t in range(len(row)):
            long, short = state(row[: t + 1]), state(row[max(0, t + 1 - k) : t + 1])
            scores.append(model.items_ID @ (a * long + (1 - a) * short))
    return np.stack(scores)


def test_score(named) -> None:
    model = named("pretrained_alpha", "window.k=3")
    a = float(sigmoid(model.weights["fusion.weighted.logit"])[0])
    assert abs(a - 0.5) > 0.01
    np.testing.assert_allclose(model.scores(), expected(model, 3, a), rtol=0, atol=1e-9)


def test_a_fixed_share(named) -> None:
    model = named("pretrained_alpha", "window.k=2", "fusion.weight=fixed", "fusion.long_share=0.25")
    np.testing.assert_allclose(model.scores(), expected(model, 2, 0.25), rtol=0, atol=1e-9)


def test_there_is_one_backbone(named) -> None:
    model = named("pretrained_alpha")
    assert model.parts.model.long is None
    assert {name.split(".")[0] for name in model.weights} == {"items", "short", "fusion"}
