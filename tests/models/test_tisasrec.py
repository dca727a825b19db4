"""TiSASRec from loops over pairs, with a vector of places and one of the time between for each pair."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from published import ITEMS, TIMES
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, normed, sigmoid, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def interval(hours: list[int], t: int, s: int, longest: int) -> int:
    """In units of the smallest pause above 0 up to t; 0 while there is none."""
    pauses = [b - a for a, b in pairwise(hours[: t + 1]) if b > a]
    return min(longest, (hours[t] - hours[s]) // min(pauses)) if pauses else 0


def expected(model, blocks: int, heads: int, longest: int) -> np.ndarray:
    w, scores = model.weights, []
    for row, hours in zip(ITEMS, TIMES, strict=True):
        h_T = list(embedded(model, row))
        for i in range(blocks):
            h_T = block_of(w, f"long.blocks.{i}", h_T, hours, heads, longest)
        scores += [model.items_ID @ normed(w, "long.norm", h) for h in h_T]
    return np.stack(scores)


def block_of(w, block: str, x_T: list, hours: list[int], heads: int, longest: int) -> list:
    n_T = [normed(w, f"{block}.norm_attention", x) for x in x_T]
    out, e = [], len(x_T[0]) // heads
    for t, x in enumerate(x_T):
        q = linear(w, f"{block}.query", n_T[t])
        keys, values = [], []
        for s in range(t + 1):
            r = interval(hours, t, s, longest)
            keys.append(linear(w, f"{block}.key", n_T[s]) + w["long.place_key"][s] + w["long.interval_key"][r])
            values.append(linear(w, f"{block}.value", n_T[s]) + w["long.place_value"][s] + w["long.interval_value"][r])
        heard = []
        for own in range(heads):
            span = slice(own * e, own * e + e)
            weight = softmax(np.array([q[span] @ k[span] / e**0.5 for k in keys]))
            heard.append(sum(a * v[span] for a, v in zip(weight, values, strict=True)))
        x = x + np.concatenate(heard)
        inner = np.maximum(linear(w, f"{block}.inner", normed(w, f"{block}.norm_inner", x)), 0)
        out.append(x + linear(w, f"{block}.outer", inner))
    return out


@pytest.mark.parametrize("longest", [256, 20])
@pytest.mark.parametrize(("blocks", "heads"), [(1, 1), (2, 1), (2, 3)])
def test_score(named, blocks: int, heads: int, longest: int) -> None:
    model = named("tisasrec", f"blocks={blocks}", f"heads={heads}", f"long.longest={longest}")
    np.testing.assert_allclose(model.scores(), expected(model, blocks, heads, longest), rtol=0, atol=1e-9)


def test_at_the_end_of_a_row_the_unit_is_the_papers() -> None:
    """Its smallest gap of the whole history; before that ours is never smaller."""
    for hours in TIMES[:2]:
        smallest = min(b - a for a, b in pairwise(hours) if b > a)
        last = len(hours) - 1
        assert [interval(hours, last, s, 999) for s in range(last)] == [
            (hours[last] - hour) // smallest for hour in hours[:last]
        ]


def test_loss(named) -> None:
    """One yes and one no at each position, halved."""
    model = named("tisasrec")
    drawn = [[1 + (5 * n) % 9] for n in range(len(NEXT))]
    scores, total = expected(model, 1, 1, 256), 0.0
    for n, own, (other,) in zip(FOLLOWED, NEXT, drawn, strict=True):
        total -= np.log(sigmoid(scores[n, own - 1]))
        if other != own:
            total -= np.log(1 - sigmoid(scores[n, other - 1]))
    assert loss_of(model, drawn) == pytest.approx(total / 2, abs=1e-9)
