"""Is the instrument right? Probes whose results are known beforehand, through the code that ranks every run.

An oracle has every metric at its ceiling, constant scores and random ones have chance, what was seen is never
recommended, blocks and processes change nothing, and a plain loop finds the same ranks. A study asks this before its
first run: a wrong metric is found in seconds, and not after a night of runs.

Shape legend: Q queries, I items, D width.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from research.doctor.by_hand import NAMES, ceiling, counts, value
from research.doctor.check import Check
from research.doctor.probes import WIDTH, Bench, Coarse, Constant, Oracle, Remembering, Scores, Shuffled
from research.evaluation.table import Ranks
from research.metrics.ranking import metric

EQUAL = 1e-9
"""A mean over queries may differ from the plain loop's by its rounding."""

CREDIBLE = 1e-6
"""A share of hits that chance reaches less often than this is not chance."""

DRAWS = 1000
"""Random orders at least, where 50 rounds of the queries are enough for that."""

LOOPED = 500_000
"""Scores that the plain loop looks at."""

RANKS = "research/evaluation/ranks.py, research/evaluation/dot_ranks.py"
METRICS = "research/metrics/ranking.py"
CODE = "Undo the last change to that file; pytest tests/evaluation tests/metrics says more. No number is to be trusted."


def instrument(bench: Bench) -> list[Check]:
    """All checks that need one dataset and its test queries."""
    item_ID = _directions(bench.histories.n_items, seed=1)
    target_Q = torch.tensor(bench.target_Q) - 1
    return [
        _oracle("as a baseline", bench, bench.ranked(Oracle())),
        _oracle("as a model", bench, bench.ranked_vectors(item_ID[target_Q], item_ID)),
        _constant("as a baseline", bench, bench.ranked(Constant())),
        _constant("as a model", bench, bench.ranked_vectors(torch.zeros(len(target_Q), WIDTH), item_ID)),
        _random(bench),
        _seen(bench, bench.ranked(Remembering())),
        _loop(bench, Coarse()),
        _blocks(bench, item_ID),
    ]


def _oracle(how: str, bench: Bench, ranks: Ranks) -> Check:
    fresh_Q, name = bench.fresh_Q, f"An oracle has every metric at its ceiling, {how}"
    if not fresh_Q.any():
        return Check(name, None, "every test item was seen before, so nothing can be recommended")
    found = {each: float(metric(each, ranks.better[fresh_Q], ranks.ties[fresh_Q]).mean()) for each in NAMES}
    wrong = [
        f"{each} is {found[each]:.6g} instead of {ceiling(each):.6g}" for each in NAMES if not _is(each, found[each])
    ]
    lost = f", and misses the {np.mean(~fresh_Q):.1%} whose item was seen before" * (not fresh_Q.all())
    text = f"{fresh_Q.sum():,} queries: recall, NDCG, MRR, MAP and accuracy 1; precision@k 1/k, F1@k 2/(k+1){lost}"
    return Check(name, not wrong, wrong[0] if wrong else text, f"{RANKS}, {METRICS}", CODE)


def _is(name: str, found: float) -> bool:
    return abs(found - ceiling(name)) <= EQUAL


def _chance(bench: Bench, name: str) -> float:
    """Expectation over a random order of the candidates; what was seen stands last."""
    places = zip(bench.candidates_Q, bench.fresh_Q.tolist(), strict=True)
    return math.fsum(value(name, 1 if fresh else last, last) for last, fresh in places) / len(bench.target_Q)


def _constant(how: str, bench: Bench, ranks: Ranks) -> Check:
    wrong = []
    for name in NAMES:
        chance, found = _chance(bench, name), ranks.mean(name)
        if abs(found - chance) > EQUAL:
            wrong.append(f"{name} is {found:.6g} instead of {chance:.6g}")
    size = f"{min(bench.candidates_Q):,} to {max(bench.candidates_Q):,} candidates"
    text = f"recall@10 {ranks.mean('recall@10'):.6g} = the mean of 10 / candidates, {size}; all others likewise"
    title = f"Constant scores have chance exactly, {how}"
    return Check(title, not wrong, wrong[0] if wrong else text, f"{RANKS}, {METRICS}", CODE)


def _random(bench: Bench) -> Check:
    """Few queries are asked several times, so that a wrong count shows in them too."""
    from scipy.stats import binomtest

    rounds = min(50, -(-DRAWS // len(bench.target_Q)))
    all_ranks = [bench.ranked(Shuffled(number)) for number in range(rounds)]
    said, passed, draws = [], True, rounds * len(bench.target_Q)
    for k in sorted({10, max(1, bench.histories.n_items // 10)}):
        name = f"recall@{k}"
        hits = round(math.fsum(ranks.mean(name) * len(ranks) for ranks in all_ranks))
        chance = min(1.0, _chance(bench, name))
        p = float(binomtest(hits, draws, chance).pvalue)
        error = math.sqrt(chance * (1 - chance) / draws)
        said.append(f"{name} {hits / draws:.4f}, chance {chance:.4f} ± {error:.4f} (p {p:.2g})")
        passed &= p >= CREDIBLE
    title = "Random scores have chance within its binomial error"
    return Check(title, passed, f"{draws:,} draws: {'; '.join(said)}", f"{RANKS}, {METRICS}", CODE)


def _seen(bench: Bench, ranks: Ranks) -> Check:
    """Scores of 1 for what was seen: unfiltered, all of it would stand above the target."""
    candidates_Q, fresh_Q = np.array(bench.candidates_Q), bench.fresh_Q
    wrong = [
        (f"{np.sum(ranks.better[fresh_Q] > 0):,} targets stand below what was seen", (ranks.better[fresh_Q] > 0).any()),
        ("the number of candidates is not that of unseen items", (ranks.candidates != candidates_Q).any()),
        (
            "a target that was seen before does not stand last",
            (ranks.better[~fresh_Q] != candidates_Q[~fresh_Q] - 1).any() or ranks.ties[~fresh_Q].any(),
        ),
    ]
    bad = [words for words, is_wrong in wrong if is_wrong]
    seen = [len(seen) for seen in bench.seen]
    text = f"{min(seen):,} to {max(seen):,} seen items of {len(seen):,} queries, none above a target"
    where = f"{RANKS}, past_items in research/evaluation/blocks.py"
    return Check("What was seen is never recommended", not bad, bad[0] if bad else text, where, CODE)


def _loop(bench: Bench, scores: Scores) -> Check:
    """Ranks and every metric of tied scores, query by query, against Python loops."""
    ranks, queries = bench.ranked(scores), bench.split.test
    some = np.unique(np.linspace(0, len(queries) - 1, max(4, LOOPED // bench.histories.n_items)).astype(np.int64))
    wrong = ""
    for query in some.tolist():
        score_I = scores.score(bench.histories, queries, np.array([query]))[0].tolist()
        by_hand = counts(score_I, bench.target_Q[query], bench.seen[query])
        found = tuple(int(column[query]) for column in (ranks.better, ranks.ties, ranks.candidates))
        if found != by_hand:
            wrong = f"query {query}: better, ties, candidates {found} instead of {by_hand}"
            break
        better, ties, _ = by_hand
        for name in NAMES:
            ours = float(metric(name, np.array([better]), np.array([ties]))[0])
            if abs(ours - value(name, better + 1, better + ties + 1)) > EQUAL:
                wrong = (
                    f"query {query}: {name} is {ours:.6g} instead of {value(name, better + 1, better + ties + 1):.6g}"
                )
    text = f"{len(some):,} queries with tied scores, {len(NAMES)} metrics"
    return Check("A plain loop finds the same ranks and metrics", not wrong, wrong or text, f"{RANKS}, {METRICS}", CODE)


def _blocks(bench: Bench, item_ID: torch.Tensor) -> Check:
    interest_QD = _directions(len(bench.target_Q), seed=2)
    usual = bench.ranked_vectors(interest_QD, item_ID)
    size = 7 if len(usual) > 7 * 16 else 1  # few queries are in small blocks already
    others = {f"blocks of {size}": bench.ranked_vectors(interest_QD, item_ID, size=size)}
    if len(bench.target_Q) > 1:
        others["two processes"] = bench.ranked_vectors(interest_QD, item_ID, processes=2)
    differs = [
        words
        for words, ranks in others.items()
        if not (np.array_equal(ranks.better, usual.better) and np.array_equal(ranks.ties, usual.ties))
    ]
    text = (
        f"ranks differ with {differs[0]}" if differs else f"the same {len(usual):,} ranks with {' and '.join(others)}"
    )
    where = "research/evaluation/blocks.py, research/evaluation/dot_ranks.py"
    return Check("Blocks and processes change no rank", not differs, text, where, CODE)


def _directions(count: int, *, seed: int) -> torch.Tensor:
    """``(count, D)`` random vectors of length 1."""
    vectors = torch.randn((count, WIDTH), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)
