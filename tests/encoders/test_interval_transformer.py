"""TiSASRec's attention against a loop over pairs, its intervals by hand, and times that nobody may know yet.

Shape legend: L positions of a prefix, D width, B rows, T positions, N asked positions.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.interval_block import intervals
from research.encoders.interval_transformer import IntervalTransformer
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


class TestIntervals:
    def test_by_hand(self) -> None:
        """The smallest pause is 100, then 30, then 1; before it there is none."""
        got = intervals(torch.tensor([[5, 5, 105, 135, 136]]), 99)[0]
        assert got.tolist() == [[0] * 5, [0] * 5, [1, 1, 0, 0, 0], [4, 4, 1, 0, 0], [99, 99, 31, 1, 0]]

    def test_hasty_and_slow_users_who_do_the_same_are_alike(self) -> None:
        time_BT = torch.tensor([[0, 2, 3, 7]])
        assert torch.equal(intervals(time_BT, 50), intervals(1_000_000 + 86_400 * time_BT, 50))

    def test_all_at_once(self) -> None:
        assert not intervals(torch.full((2, 3), 7), 5).any()


@pytest.mark.parametrize(("blocks", "heads"), [(1, 1), (2, 1), (2, 3)])
def test_against_pairs(ragged, shaken, same_by_prefix, blocks: int, heads: int) -> None:
    encoder, e = shaken(IntervalTransformer(Sizes(6, 7), blocks=blocks, heads=heads, inner=10, longest=40)), 6 // heads

    def interval(time_L, t: int, s: int) -> int:
        pauses = [int(b - a) for a, b in pairwise(time_L[: t + 1]) if b > a]
        return min(40, int(time_L[t] - time_L[s]) // min(pauses)) if pauses else 0

    def layer(block, x_LD, time_L):
        n_LD, out = block.norm_attention(x_LD), []
        for t in range(len(x_LD)):
            query, heard = block.query(n_LD[t]), []
            near = [interval(time_L, t, s) for s in range(t + 1)]
            pairs = range(t + 1)
            keys = [block.key(n_LD[s]) + encoder.place_key[s] + encoder.interval_key[near[s]] for s in pairs]
            values = [block.value(n_LD[s]) + encoder.place_value[s] + encoder.interval_value[near[s]] for s in pairs]
            for own in range(0, 6, e):
                score = torch.stack([query[own : own + e] @ key[own : own + e] / e**0.5 for key in keys])
                weight = score.exp() / score.exp().sum()
                heard.append(sum(w * value[own : own + e] for w, value in zip(weight, values, strict=True)))
            x = x_LD[t] + torch.cat(heard)
            inner = F.relu(block.inner.weight @ block.norm_inner(x) + block.inner.bias)
            out.append(x + block.outer.weight @ inner + block.outer.bias)
        return torch.stack(out)

    def naive(x_LD, time_L, user):
        h_LD = x_LD * 6**0.5
        for block in encoder.blocks:
            h_LD = layer(block, h_LD, time_L)
        return encoder.norm(h_LD[-1])

    with torch.no_grad():
        same_by_prefix(encoder, ragged, naive)


class TestTimesThatAreNotKnown:
    """The smallest pause of a whole history tells of its future; that of the row would tell a window of its past."""

    def rows(self, times: list[int]) -> Rows:
        x_BTD = torch.randn(1, 5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        return Rows(x_BTD, torch.tensor([5]), torch.tensor([times]))

    def test_a_later_pause_never_changes_an_earlier_state(self, shaken) -> None:
        encoder = shaken(IntervalTransformer(Sizes(6, 5)))
        one, other = (encoder.encode(self.rows([0, 50, 200, 400, last])) for last in (401, 600))
        assert torch.equal(one[:, :4], other[:, :4])
        assert not torch.allclose(one[:, 4], other[:, 4])

    def test_a_pause_before_the_window_does_not_count(self, shaken) -> None:
        encoder = shaken(IntervalTransformer(Sizes(6, 5)))
        at, start_N = Positions(torch.tensor([0]), torch.tensor([4])), torch.tensor([2])
        one, other = (encoder(self.rows([0, first, 200, 250, 400]), at, start_N) for first in (1, 100))
        assert torch.equal(one, other)
        whole = [encoder(self.rows([0, first, 200, 250, 400]), at) for first in (1, 100)]
        assert not torch.allclose(*whole)


def test_a_gradient_reaches_every_table(ragged, shaken) -> None:
    encoder = shaken(IntervalTransformer(Sizes(6, 7), longest=3))
    x_BTD = ragged.x_BTD.masked_fill(~ragged.real_BT[:, :, None], 0)
    at = Positions(torch.arange(3), ragged.length_B - 1)
    encoder(replace(ragged, x_BTD=x_BTD), at).square().sum().backward()
    for name, weight in encoder.named_parameters():
        if not name.startswith("norm"):
            assert weight.grad is not None and weight.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"blocks": 0}, "blocks=0"), ({"longest": 0}, "longest=0"), ({"heads": 4}, "heads=4 does not divide width=6")],
)
def test_values_out_of_range(settings: dict[str, int], words: str) -> None:
    with pytest.raises(UserError, match=words):
        IntervalTransformer(Sizes(6), **settings)  # type: ignore[arg-type]
