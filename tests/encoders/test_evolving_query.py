"""CLSR's short side, prefix by prefix: torch's GRU asks from the user's vector, a tested Time4LSTM is asked."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from research.encoders.evolving_query import EvolvingQuery
from research.encoders.rows import Rows
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def test_attention_by_a_query_that_evolves(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(EvolvingQuery(Sizes(6, 7, n_users=3)))

    def naive(x_LD, time_L, user):
        begin_D = encoder.users.weight[user]
        query_D = encoder.query.cell(x_LD[None] * 6**0.5, begin_D[None, None])[0][0, -1]
        states = encoder.memory.encode(Rows(x_LD[None], torch.tensor([len(x_LD)]), time_L[None]))[0]
        e = [math.exp((query_D @ (encoder.key.weight @ state)).item()) for state in states]
        return sum(w * state for w, state in zip(e, states, strict=True)) / sum(e)

    same_by_prefix(encoder, ragged, naive)


def test_users_ask_differently(ragged, shaken) -> None:
    encoder = shaken(EvolvingQuery(Sizes(6, 7, n_users=3)))
    other = encoder.encode(replace(ragged, users_B=torch.tensor([1, 0, 1])))
    moved_BT = (encoder.encode(ragged) - other).abs().amax(2)
    assert moved_BT[0, 0] < 1e-12, "of one item there is nothing to choose"
    assert (moved_BT[0, 1:] > 1e-6).all() and (moved_BT[1:] < 1e-12).all()


def test_its_table_is_that_of_its_users() -> None:
    encoder = EvolvingQuery(Sizes(6, 7, n_users=3))
    assert encoder.user_table is encoder.users.weight and encoder.user_table.shape == (3, 6)
