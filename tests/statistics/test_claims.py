"""Claims as people write them, and messages that say how to mend them."""

from __future__ import annotations

import pytest

from research.errors import UserError
from research.statistics.claims import Claim, parse_claim

ARMS = (
    "gated",
    "weighted",
    "long_only",
    "transformer + gru, last_k, gated",
    "sasrec/v1.2-best",
    "trained on last 5",
    "k > 3",
    "popularity",
)


@pytest.mark.parametrize(
    ("text", "better", "worse", "metric"),
    [
        ("gated > weighted on ndcg@10", "gated", "weighted", "ndcg@10"),
        ("  gated>weighted   on NDCG@10 ", "gated", "weighted", "ndcg@10"),
        ("gated < weighted on recall@5", "weighted", "gated", "recall@5"),
        ("transformer + gru, last_k, gated > sasrec/v1.2-best on mrr@20", ARMS[3], ARMS[4], "mrr@20"),
        ("trained on last 5 > popularity on hr@1", "trained on last 5", "popularity", "hr@1"),
        ("popularity > trained on last 5 on hr@1", "popularity", "trained on last 5", "hr@1"),
        ("k > 3 > gated on ndcg@10", "k > 3", "gated", "ndcg@10"),
        ("gated < k > 3 on ndcg@10", "k > 3", "gated", "ndcg@10"),
    ],
)
def test_reads(text: str, better: str, worse: str, metric: str) -> None:
    claim = parse_claim(text, ARMS)
    assert (claim.better, claim.worse, claim.metric) == (better, worse, metric)
    assert claim.text == " ".join(text.split())


def test_labels_keep_their_own_spelling() -> None:
    assert parse_claim("a  b > c on ndcg@10", ["a   b", "c"]) == Claim("a   b", "c", "ndcg@10", "a b > c on ndcg@10")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gatd > weighted on ndcg@10", r"no arm 'gatd'\. Arms: gated, weighted, .*popularity\. Did you mean 'gated'\?"),
        ("gated > wieghted on ndcg@10", r"no arm 'wieghted'.*Did you mean 'weighted'"),
        ("Gated > weighted on ndcg@10", r"no arm 'Gated'.*Did you mean 'gated'"),
        ("gated > weighted on ndgc@10", r"Claim .*Unknown metric 'ndgc@10'\. Known: "),
        ("gated > weighted on ndcg", r"needs a cut-off"),
        ("gated > gated on ndcg@10", r"compares 'gated' with itself"),
        ("gated > weighted", r"not of the form `ARM > ARM on METRIC`"),
        ("gated beats weighted on ndcg@10", r"not of the form"),
        ("gated > weighted on ndcg@10 and mrr@10", r"not of the form"),
        ("gated > on ndcg@10", r"a side is empty"),
        ("", r"not of the form"),
        ("gated >= weighted on ndcg@10", r"no arm '= weighted'.*Did you mean 'weighted'"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_claim(text, ARMS)


def test_two_readings_are_refused() -> None:
    with pytest.raises(UserError, match="two ways"):
        parse_claim("a > b > c on ndcg@10", ["a", "b > c", "a > b", "c"])
