"""Attention pooling against a plain loop with its own softmax."""

from __future__ import annotations

import math

import pytest
import torch

from research.encoders.attention_pool import AttentionPool
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("query", ["last", "user", "learned"])
def test_a_softmax_over_the_prefix(ragged, shaken, same_by_prefix, query: str, activation: str) -> None:
    encoder = shaken(AttentionPool(Sizes(6, 7, n_users=3), query=query, activation=activation))  # type: ignore[arg-type]
    act = torch.tanh if activation == "tanh" else torch.relu

    def naive(x_LD, time_L, user):
        x_LD = x_LD * 6**0.5
        q = {
            "last": lambda: encoder.query.weight @ x_LD[-1],
            "user": lambda: encoder.query.weight[user],
            "learned": lambda: encoder.query.weight[0],
        }[query]()
        e = [math.exp((q @ act(encoder.key.weight @ x + encoder.key.bias)).item()) for x in x_LD]
        return sum(w * x for w, x in zip(e, x_LD, strict=True)) / sum(e)

    same_by_prefix(encoder, ragged, naive)


def test_only_a_user_query_knows_users() -> None:
    sizes = Sizes(6, 7, n_users=3)
    assert AttentionPool(sizes, query="user").query.weight.shape == (3, 6)
    assert AttentionPool(sizes, query="learned").query.weight.shape == (1, 6)
