"""Counts of one set of queries under a published rule; without one the callers count as they always do.

Shape legend: B queries of a block, S seen items of all of them.
"""

from __future__ import annotations

from torch import Tensor

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.evaluation.drawn import count_drawn, draw_candidates
from research.evaluation.published import Published
from research.evaluation.ranks import Scores, count_better
from research.evaluation.seen_at_zero import SeenAtZero


class Judge:
    """Knows what each query's target is ranked against."""

    def __init__(self, rule: Published, histories: Histories, train: Spans, queries: Queries) -> None:
        """Draw the candidates, where the rule draws any.

        Raises:
            UserError: somebody has too few items to draw from.
        """
        self.rule = rule
        self.drawn_QK = draw_candidates(rule, histories, train, queries) if rule.drawn else None

    def __call__(
        self, scores: Scores, query_B: Tensor, target_B: Tensor, seen_row_S: Tensor, seen_item_S: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Arguments beside ``query_B``, the indices of the queries, and the result as of ``count_better``."""
        if self.drawn_QK is not None:
            return count_drawn(scores, target_B, self.drawn_QK[query_B.cpu()])
        nobody = seen_row_S[:0]
        if self.rule.seen == "zero":
            return count_better(SeenAtZero(scores, seen_row_S, seen_item_S), target_B, nobody, nobody)
        if self.rule.seen == "kept":
            return count_better(scores, target_B, nobody, nobody)
        return count_better(scores, target_B, seen_row_S, seen_item_S)


def judge(rule: Published | None, histories: Histories, train: Spans, queries: Queries) -> Judge | None:
    """``None`` where the rule counts ranks as we do."""
    return None if rule is None or rule.plain_ranking else Judge(rule, histories, train, queries)
