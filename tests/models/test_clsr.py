"""CLSR from loops: two queries, two memories, the gate that knows the candidate; and both terms beside its loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import HOUR, ITEMS, LATER, TIMES
from recomputed import FOLLOWED, embedded, linear, sigmoid, softmax
from states_by_hand import gru, log_days, time4lstm

pytestmark = pytest.mark.usefixtures("one_thread")


def states(model) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Of every position the long, the short and the evolved state, and the time away."""
    w, found = model.weights, []
    for b, (row, hours, later) in enumerate(zip(ITEMS, TIMES, LATER, strict=True)):
        x_TD, seconds = embedded(model, row), [HOUR * hour for hour in hours]
        moments = [*seconds[1:], seconds[-1] + HOUR * later]
        memory = time4lstm(w, "short.memory", x_TD, seconds)
        for t in range(len(row)):
            asks = w["long.query.weight"][b]
            weight = softmax(np.array([asks @ np.tanh(linear(w, "long.key", x)) for x in x_TD[: t + 1]]))
            long = sum(a * x for a, x in zip(weight, x_TD, strict=False))
            asks = gru(w, "short.query", x_TD[: t + 1], w["short.users.weight"][b])
            weight = softmax(np.array([asks @ linear(w, "short.key", s) for s in memory[: t + 1]]))
            short = sum(a * s for a, s in zip(weight, memory, strict=False))
            evolved = gru(w, "fusion.evolution", x_TD[: t + 1], np.zeros(6))
            found.append((long, short, evolved, log_days(moments[t] - seconds[t])))
    return found


def expected(model) -> np.ndarray:
    w, scores = model.weights, []
    for long, short, evolved, away in states(model):
        known = linear(w, "fusion.gate.context", np.concatenate([evolved, long, short, [away]]))
        scores.append([])
        for item in model.items_ID:
            neurons = np.maximum(known + w["fusion.gate.candidate.weight"] @ item, 0)
            share = sigmoid(linear(w, "fusion.gate.out", neurons))[0]
            scores[-1].append((share * long + (1 - share) * short) @ item)
    return np.array(scores)


def terms(model) -> dict[str, float]:
    """What each term adds to the loss of these rows."""
    parts = model.parts
    supervised = parts.objective.supervise(model.batch, np.random.default_rng(0))
    with torch.no_grad():
        views = parts.model.views(supervised.batch, supervised.at)
        fused = parts.model.fusion(views)
        return {
            type(term).__name__: float(term(views, fused, supervised, parts.model.items)) for term in parts.auxiliary
        }


def test_score(named) -> None:
    model = named("clsr")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_both_terms_stand_beside_the_loss(named) -> None:
    assert set(terms(named("clsr"))) == {"Contrast", "UserDiscrepancy"}
    assert terms(named("clsr", "auxiliary=[]")) == {}


def test_contrast(named) -> None:
    """Four triplets of each history of more than five items: proxies are means of all items and of the last three."""
    model = named("clsr", "auxiliary.contrast.threshold=3")
    of, total, places = states(model), 0.0, [(b, t) for b, row in enumerate(ITEMS) for t in range(len(row))]

    def apart(a, b) -> float:
        return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))

    for n in FOLLOWED:
        b, t = places[n]
        if t + 1 <= 3:
            continue
        items = [model.vector(item) for item in ITEMS[b][: t + 1]]
        far, near = sum(items) / len(items), sum(items[-3:]) / 3
        long, short, *_ = of[n]
        for anchor, yes, no in ((long, far, near), (far, long, short), (short, near, far), (near, short, long)):
            total += max(0.0, apart(anchor, yes) - apart(anchor, no) + 1.0)
    assert total > 0
    assert terms(model)["Contrast"] == pytest.approx(0.1 * total, abs=1e-9)
    assert terms(named("clsr"))["Contrast"] != pytest.approx(0.1 * total), "the paper's threshold is five"


def test_discrepancy(named) -> None:
    """Minus the mean squared difference of a user's two rows, once a supervised position."""
    model, total = named("clsr"), 0.0
    for b, row in enumerate(ITEMS):
        apart = model.weights["long.query.weight"][b] - model.weights["short.users.weight"][b]
        total -= (len(row) - 1) * sum(d * d for d in apart) / len(apart)
    assert terms(model)["UserDiscrepancy"] == pytest.approx(0.01 * total, abs=1e-12)
