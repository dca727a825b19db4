"""Claims and family as a study declares them."""

from __future__ import annotations

import pytest

from research.errors import UserError
from research.statistics.declared import possible_names, read_claims
from research.statistics.family import benjamini_hochberg, correction, holm

ARMS = ["transformer, gated", "transformer, sum", "ease"]


def test_claims_in_the_order_of_the_file() -> None:
    texts = ["transformer, gated > transformer, sum on ndcg@10", "ease < transformer, sum on recall@20"]
    claims = read_claims({"claims": texts, "family": "benjamini_hochberg"}, ARMS, "x.yaml")
    assert [(claim.better, claim.worse, claim.metric) for claim in claims] == [
        ("transformer, gated", "transformer, sum", "ndcg@10"),
        ("transformer, sum", "ease", "recall@20"),
    ]
    assert read_claims({}, ARMS, "x.yaml") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"claims": "a > b on ndcg@10"}, "x.yaml: 'claims' should be a list of texts"),
        ({"claims": [1]}, "x.yaml: 'claims' should be a list of texts"),
        ({"claims": ["ease beats all"]}, "x.yaml: Claim 'ease beats all' is not of the form"),
        ({"claims": ["ease > transformer, sun on ndcg@10"]}, "no arm 'transformer, sun'.*mean 'transformer, sum'"),
        ({"claims": ["ease > transformer, sum on auc@10"]}, "x.yaml: .*Unknown metric"),
        ({"claims": ["ease > transformer, sum on mrr@5", "ease < transformer, sum on mrr@5"]}, "are one test"),
        ({"family": "holms"}, "x.yaml: 'family': There is no correction 'holms'.*Did you mean 'holm'"),
        ({"family": None}, "There is no correction None"),
    ],
)
def test_a_wrong_declaration(content: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_claims(content, ARMS, "x.yaml")


def test_corrections_by_name() -> None:
    assert (correction("holm"), correction("benjamini_hochberg")) == (holm, benjamini_hochberg)


def test_names_of_rows() -> None:
    axes = {"encoder@short": ["gru", "lstm"], "fusion": ["gated", "long_only"], "deep": [True]}
    names = possible_names(axes, ["ease"])
    assert names == [
        *("gru, gated, true", "gru, long_only, true", "lstm, gated, true", "lstm, long_only, true"),
        *("gated, true", "long_only, true", "ease"),
    ]
