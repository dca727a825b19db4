"""What a finished run states about itself: metrics, budget used, branch weights, the data's audit."""

from __future__ import annotations

from typing import Any

import numpy as np
from omegaconf import DictConfig

from research.data.histories import Histories
from research.data.split import Split
from research.evaluation.dataset import audit_split
from research.evaluation.published import protocol_of
from research.evaluation.table import Ranks
from research.fusion.base import Fusion
from research.fusion.collapse import collapse
from research.metrics.ranking import expected_rank
from research.schema import target_class
from research.training.callbacks import CURVE
from research.training.environment import peak_memory
from research.training.fit import Fitted

KINDS = ("recall", "ndcg", "mrr", "precision", "f1", "map")
METRICS = ("accuracy@1", *(f"{kind}@{k}" for kind in KINDS for k in (5, 10, 20)))
"""What a record states; any other cut-off follows from its stored ranks."""


def outcome(config: DictConfig, histories: Histories, split: Split, fitted: Fitted) -> dict[str, Any]:
    """The part of a record that is known at the end of a run."""
    ranks = fitted.ranks
    validated = [row for row in fitted.curves if row[CURVE] is not None]
    best = max(validated, key=lambda row: row[CURVE], default=None)
    return {
        "status": "finished",
        "data": {
            "name": histories.name,
            "digest": histories.digest,
            **({"columns_digest": histories.columns_digest} if histories.columns_digest else {}),
            "audit": audit_split(config, histories, split),
        },
        "protocol": {
            "split": split.name,
            **protocol_of(config),
            "ties": "expected",
            "users": len(np.unique(ranks.user)),
        },
        "parameters": fitted.parameters,
        "seconds": {**fitted.seconds, "epoch": fitted.seconds["train"] / max(1, len(fitted.curves))},
        "peak_memory_bytes": peak_memory(),
        "epochs": {"run": len(fitted.curves), "best": best["epoch"] if best else 0},
        "validation": {"ndcg@10": best[CURVE]} if best else {},
        "test": {name: ranks.mean(name) for name in METRICS}
        | {"mean_rank": float(expected_rank(ranks.better, ranks.ties).mean())},
        "branch_weight": branch_weight(ranks),
        "branch_correlation": fitted.correlation,
        "alarms": alarms(config, ranks, fitted.correlation),
    }


def alarms(config: DictConfig, ranks: Ranks, correlation: float | None = None) -> list[str]:
    """What is wrong with a fusion: weights that should differ from position to position and do not, states that should.

    Args:
        config: of the run.
        ranks: of its test, with the weights.
        correlation: of the two states that any fusion read, whether it weighs them or not.
    """
    if config.get("baseline"):
        return []
    weighs = target_class(config.fusion._target_, Fusion).weighs
    return collapse(ranks.weight_long if weighs else None, correlation).alarms()


def branch_weight(ranks: Ranks) -> dict[str, float] | None:
    """Mean, spread and quartiles of the long branch's share over test users; ``None`` where none is defined."""
    share = ranks.weight_long.astype(np.float64)
    if np.isnan(share).any():
        return None
    low, middle, high = np.quantile(share, [0.25, 0.5, 0.75])
    return {
        "long_mean": float(share.mean()),
        "long_std": float(share.std()),
        "long_quartile_1": float(low),
        "long_median": float(middle),
        "long_quartile_3": float(high),
    }
