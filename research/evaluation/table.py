"""The ranks of all test users as one table, the ground truth of every metric, slice and test.

Shape legend: Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from research.data.histories import Histories
from research.data.split import Queries
from research.metrics.ranking import metric


@dataclass(frozen=True)
class Ranks:
    """One row for every held-out item, in the order of the split's queries.

    Attributes:
        query: index of the query.
        user: user index.
        target: held-out item, from 1.
        better: candidates that scored strictly higher.
        ties: other candidates that scored exactly the same.
        candidates: items that could be recommended, the target among them.
        history_length: interactions before the target.
        weight_long: share of the long branch, NaN where the fusion defines none.
        weight_short: share of the short branch, likewise.
        scenario: of the held-out interaction, in the source's words; ``None`` where the data has none.
        gap: seconds from the last interaction of the input to the held-out one, NaN where there is no input; ``None``
            where the data has no times.
        popularity: share of the items that have more training interactions than the held-out one; ``None`` until
            ``facts.with_facts`` adds it, and ``repeat``, whether the held-out item stands in the input.
        repeat: see ``popularity``.
        cold: whether the split kept the user, or the item, out of training; ``None`` where it has no such notion.
    """

    query: np.ndarray
    user: np.ndarray
    target: np.ndarray
    better: np.ndarray
    ties: np.ndarray
    candidates: np.ndarray
    history_length: np.ndarray
    weight_long: np.ndarray
    weight_short: np.ndarray
    scenario: np.ndarray | None = None
    gap: np.ndarray | None = None
    popularity: np.ndarray | None = None
    repeat: np.ndarray | None = None
    cold: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.query)

    @staticmethod
    def of_queries(
        histories: Histories,
        queries: Queries,
        query_B: np.ndarray,
        better_B: np.ndarray,
        ties_B: np.ndarray,
        candidates_B: np.ndarray,
        *,
        weight_B2: np.ndarray | None,
    ) -> Ranks:
        """Rows for some queries from the counts of ``count_better`` and the branch weights of a fusion."""
        weight = np.full((len(query_B), 2), np.nan) if weight_B2 is None else weight_B2
        return Ranks(
            query=query_B,
            user=queries.user[query_B].astype(np.int32),
            target=histories.items[queries.target[query_B]].astype(np.int32),
            better=better_B.astype(np.int32),
            ties=ties_B.astype(np.int32),
            candidates=candidates_B.astype(np.int32),
            history_length=(queries.stop - queries.start)[query_B].astype(np.int32),
            weight_long=weight[:, 0].astype(np.float32),
            weight_short=weight[:, 1].astype(np.float32),
            scenario=histories.words("scenario", queries.target[query_B]),
            gap=_gap(histories, queries, query_B),
            cold=None if queries.cold is None else queries.cold[query_B],
        )

    @staticmethod
    def gather(parts: list[Ranks]) -> Ranks:
        """Put parts of several blocks or processes together, ordered by query, each query once."""
        present = [f.name for f in fields(Ranks) if getattr(parts[0], f.name) is not None]
        columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in present}
        _, first = np.unique(columns["query"], return_index=True)
        return Ranks(**{name: column[first] for name, column in columns.items()})

    def mean(self, name: str) -> float:
        """Mean of a metric such as ``"ndcg@10"`` over the rows."""
        return float(metric(name, self.better, self.ties).mean())

    def to_arrow(self) -> pa.Table:
        """The table as it is stored; weights that do not exist are null, other absent columns are left out."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "query"}
        columns = {name: pa.array(value) for name, value in values.items() if value is not None}
        for name in ("weight_long", "weight_short", "gap"):
            if getattr(self, name) is not None:
                columns[name] = pa.array(getattr(self, name), from_pandas=True)
        return pa.table(columns)


def _gap(histories: Histories, queries: Queries, query_B: np.ndarray) -> np.ndarray | None:
    if not histories.has_times:
        return None
    stop_B = queries.stop[query_B]
    gap_B = histories.times[queries.target[query_B]] - histories.times[np.maximum(stop_B - 1, 0)]
    return np.where(stop_B > queries.start[query_B], gap_B, np.nan)
