"""Growth on paper: work, memory and traffic of a training step as the catalogue and the number of GPUs grow.

``python -m scripts.bench.scale`` prints the tables of ``docs/scaling.md``, which derives the formulas; a test holds the
formula of the work against the products that torch counts in a real step. Nothing here was measured on a GPU.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

FLOAT = 4
"""Bytes of a weight, a gradient or a moment in float32."""


def forward_flops(
    tokens: float, pairs: float, scored: float, *, width: int, inner: int | None = None, blocks: int = 2
) -> tuple[float, float]:
    """Multiplications and additions of the matrix products of a forward pass.

    Args:
        tokens: positions that are read, and supervised.
        pairs: how many (query, key) pairs attention looks at, in all rows: ``T (T + 1) / 2`` for a causal row.
        scored: items that each position is scored against.
        width: of states.
        inner: of the feed-forward layers; the width by default.
        blocks: layers.

    Returns:
        Of the body, and of the scores.
    """
    inner = width if inner is None else inner
    linear = 2 * tokens * (4 * width**2 + 2 * width * inner)
    attention = 2 * 2 * pairs * width
    return float(blocks * (linear + attention)), float(2 * tokens * width * scored)


@dataclass(frozen=True)
class Plan:
    """A run on paper.

    Attributes:
        items: catalogue.
        interactions: training positions of an epoch.
        devices: GPUs.
        width: of states and item vectors.
        blocks: layers.
        length: positions of a row.
        tokens: positions of a step on one device.
        negatives: sampled items a step, shared by all its positions; ``None`` is the full softmax.
    """

    items: float
    interactions: float
    devices: int
    width: int = 64
    blocks: int = 2
    length: int = 200
    tokens: int = 25_600
    negatives: int | None = None

    @property
    def scored(self) -> float:
        """Items a position is scored against."""
        return self.items if self.negatives is None else self.negatives

    @property
    def step_flops(self) -> float:
        """On one device: three times the forward pass."""
        pairs = self.tokens * (self.length + 1) / 2
        return 3 * sum(forward_flops(self.tokens, pairs, self.scored, width=self.width, blocks=self.blocks))

    @property
    def epoch_flops(self) -> float:
        """On all devices together."""
        return self.step_flops * self.interactions / self.tokens

    @property
    def table_bytes(self) -> float:
        """One copy of the item table."""
        return FLOAT * self.items * self.width

    @property
    def ddp_bytes(self) -> float:
        """A device under DDP: table, dense gradient, two moments."""
        return 4 * self.table_bytes

    @property
    def sharded_bytes(self) -> float:
        """A device that owns its share of the rows: rows and moments, and the rows that a step touches."""
        return 3 * self.table_bytes / self.devices + 2 * self.touched_bytes

    @property
    def touched_bytes(self) -> float:
        """Vectors of the items that one device reads in a step."""
        return FLOAT * self.width * min(self.items, self.tokens + (self.negatives or 0))

    @property
    def ddp_traffic(self) -> float:
        """Bytes that a device sends in a step under DDP: a ring all-reduce of the dense gradient."""
        return 2 * (self.devices - 1) / self.devices * self.table_bytes

    @property
    def fsdp_traffic(self) -> float:
        """Under FSDP: gather the table for the forward and the backward pass, scatter its gradient."""
        return 3 * (self.devices - 1) / self.devices * self.table_bytes

    @property
    def sharded_traffic(self) -> float:
        """With sharded rows: vectors of touched items come, their gradients go.

        With the full softmax each device scores all positions against its rows: the states of all devices come (all
        gather), their gradients go back (reduce scatter), and per position a maximum and a sum.
        """
        share = (self.devices - 1) / self.devices
        looked_up = 2 * share * self.touched_bytes
        if self.negatives is not None:
            return looked_up
        states = FLOAT * self.width * self.tokens * (self.devices - 1)
        return looked_up + 2 * states + 2 * FLOAT * self.tokens * (self.devices - 1)


ITEMS = (10**4, 10**6, 10**8)
DEVICES = (1, 8, 64)
NEGATIVES = 8192


def _number(value: float, unit: str) -> str:
    for factor, prefix in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def work_table() -> str:
    """Work of a step and of an epoch, full and sampled."""
    lines = [
        "| items | interactions | loss | FLOP a step and device | of these the scores | FLOP an epoch |",
        "| ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for items, interactions in zip(ITEMS, (1e6, 1e7, 1e9), strict=True):
        for negatives in (None, NEGATIVES):
            plan = Plan(items, interactions, 1, negatives=negatives)
            scores = 3 * forward_flops(plan.tokens, 0, plan.scored, width=plan.width)[1] / plan.step_flops
            loss = "full softmax" if negatives is None else f"{negatives} shared negatives"
            lines.append(
                f"| {items:.0e} | {interactions:.0e} | {loss} | {_number(plan.step_flops, 'FLOP')} "
                f"| {scores:.1%} | {_number(plan.epoch_flops, 'FLOP')} |"
            )
    return "\n".join(lines)


def memory_table() -> str:
    """Bytes that a device holds and sends, by the way the table is spread."""
    lines = [
        "| items | GPUs | held, DDP | held, rows sharded | sent a step, DDP | FSDP | rows sharded, full softmax "
        "| rows sharded, sampled |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for items in ITEMS:
        for devices in DEVICES[1:]:
            full = Plan(items, 1e9, devices)
            sampled = replace(full, negatives=NEGATIVES)
            row = (
                full.ddp_bytes, sampled.sharded_bytes, full.ddp_traffic, full.fsdp_traffic,
                full.sharded_traffic, sampled.sharded_traffic,
            )  # fmt: skip
            lines.append(f"| {items:.0e} | {devices} | " + " | ".join(_number(x, "B") for x in row) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{work_table()}\n\n{memory_table()}\n")
