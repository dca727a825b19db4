"""Are a fusion's branch weights right? On simulated data the true ones are known, so they can be compared in a second.

The simulation draws each item with some share from the session taste and with the rest from the stable taste
(`Simulated.true_share`). A fusion that weighs its branches well puts more weight on the short one where that share is
larger. Its scale is its own: a state may be long or short, so correlations count, and the distance is only told.

Shape legend: Q test queries.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from research.data.load import load
from research.data.source import Source
from research.data.sources.simulated import Simulated
from research.errors import UserError
from research.schema import build


@dataclass(frozen=True)
class Agreement:
    """How the weights of the short branch go with the true shares, over test queries.

    Attributes:
        queries: how many were compared.
        pearson: correlation; ``None`` where all weights are equal.
        spearman: of their ranks, likewise.
        distance: mean of the absolute differences.
        weight: mean weight of the short branch.
        truth: mean true share.
    """

    queries: int
    pearson: float | None
    spearman: float | None
    distance: float
    weight: float
    truth: float

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def agreement(weight_Q: np.ndarray, true_Q: np.ndarray) -> Agreement:
    """Compare weights of the short branch with the true shares.

    Raises:
        UserError: a weight is missing, or all true shares are equal and nothing could agree with them.
    """
    from scipy.stats import rankdata

    if np.isnan(weight_Q).any():
        raise UserError("This fusion states no weights of its branches, so there is nothing to compare.")
    if np.ptp(true_Q) == 0:
        raise UserError("The true share is the same everywhere. Simulate with data.half_life_hours=24, for instance.")

    def correlation(a_Q: np.ndarray, b_Q: np.ndarray) -> float | None:
        # A gate that gives everybody the same weight may differ in the last digits of float32.
        return None if np.ptp(a_Q) < 1e-6 else float(np.corrcoef(a_Q, b_Q)[0, 1])

    flat = np.ptp(weight_Q) < 1e-6
    return Agreement(
        queries=len(weight_Q),
        pearson=correlation(weight_Q, true_Q),
        spearman=None if flat else correlation(rankdata(weight_Q), rankdata(true_Q)),
        distance=float(np.abs(weight_Q - true_Q).mean()),
        weight=float(weight_Q.mean()),
        truth=float(true_Q.mean()),
    )


def agreement_of_run(directory: Path) -> Agreement:
    """Compare the weights that a finished run recorded with the shares that its data were drawn with.

    Raises:
        UserError: no finished run is there, its data are not simulated or were filtered, or `agreement` says no.
    """
    from pyarrow import parquet

    for name in ("record.json", "config.yaml", "ranks.parquet"):
        if not (directory / name).is_file():
            raise UserError(f"{directory} is not the record of a finished run: it has no {name}.")
    config = OmegaConf.load(directory / "config.yaml")
    assert isinstance(config, DictConfig)
    source = build(config.data, Source)
    if not isinstance(source, Simulated) or config.get("selection"):
        raise UserError(f"The true shares are known of data=simulated without a selection; {directory} is another run.")
    histories, split = load(config)
    true_Q = source.true_share()[split.test.target]
    table = parquet.read_table(directory / "ranks.parquet", columns=["target", "weight_short"])
    if table["target"].to_pylist() != histories.items[split.test.target].tolist():
        raise UserError(f"{directory} was made by another version of the simulation or split. Run it again.")
    weight_Q = table["weight_short"].to_pandas().to_numpy(dtype=np.float64)
    try:
        return agreement(weight_Q, true_Q)
    except UserError as error:
        raise UserError(f"{directory}: {error}") from error
