"""How the cost of a training step grows with the catalogue and with the length of histories.

Each point trains the framework's own parts (data, model, loss, optimizer) on random histories in a process of its own,
so that its peak memory is its own: some steps of warm-up, then the median of the timed ones. The full softmax scores
chunks of positions against all items; the sampled one draws 256 items a step and touches looked-up rows only. A block
of users is ranked against the whole catalogue as in a test.

    python -m scripts.bench.scaling            all points, written to results/bench/scaling.{json,md}
    python -m scripts.bench.scaling --quick    small ones, to see that it runs

About 20 minutes on two cores; the largest point has 10^6 items and 10^7 interactions.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from research.data.histories import Histories

RESULTS = Path(__file__).parents[2] / "results" / "bench"
BATCH, BLOCK, WIDTH = 128, 64, 64
SCORES = 2**27
"""Scores that a chunk of the full softmax holds at most: 256 MB in bfloat16."""


@dataclass(frozen=True)
class Point:
    """One measurement: ``full`` or ``sampled`` softmax, catalogue, length of every history, all interactions."""

    loss: str
    n_items: int
    length: int
    interactions: int

    @property
    def words(self) -> list[str]:
        """Overrides of the run."""
        chunk = max(128, min(1024, SCORES // self.n_items // 128 * 128))
        loss = {
            "full": ["loss=cross_entropy", f"loss.chunk={chunk}"],
            "sampled": ["loss=sampled_softmax", "items.sparse=true"],
        }
        sizes = [f"width={WIDTH}", f"max_length={self.length}", f"batch_size={BATCH}", "data=simulated"]
        return [*loss[self.loss], *sizes, "encoder@long=transformer", "fusion=long_only"]


def points(quick: bool) -> list[Point]:
    """The catalogue grows at length 50, then the length at 10^4 items."""
    catalogues, lengths, n = ([1_000, 10_000], [20, 50], 100_000) if quick else ([], [], 10_000_000)
    catalogues = catalogues or [10_000, 100_000, 1_000_000]
    lengths = lengths or [50, 100, 200, 500, 1000]
    by_items = [Point(loss, i, lengths[0], n) for i in catalogues for loss in ("full", "sampled")]
    by_length = [Point(loss, catalogues[0], t, n) for t in lengths[1:] for loss in ("full", "sampled")]
    return [*by_items, *by_length]


def random_histories(point: Point) -> Histories:
    """Users with equally long histories; an item's popularity falls with its number."""
    import numpy as np

    from research.data.histories import Histories

    random = np.random.default_rng(0)
    # Two held-out items, and one more because inputs are shifted.
    length = point.length + 3
    n_users = max(BATCH, point.interactions // length)
    items = np.floor(point.n_items * random.random(n_users * length, dtype=np.float32) ** 2).astype(np.int32) + 1
    return Histories(
        name="random",
        offsets=np.arange(n_users + 1, dtype=np.int64) * length,
        items=np.minimum(items, point.n_items),
        times=np.tile(np.arange(length, dtype=np.int64), n_users),
        n_items=point.n_items,
        has_times=True,
        user_ids=np.arange(n_users),
        item_ids=np.arange(point.n_items),
        digest="random",
    )


def measure(point: Point, steps: int) -> dict[str, Any]:
    """Train some steps and rank a block; runs in a process of its own."""
    import numpy as np
    import torch
    from torch import nn

    from research.config import compose
    from research.data.split import LeaveOneOut
    from research.evaluation.blocks import Blocks
    from research.evaluation.dot_ranks import Catalogue, count_better_fused
    from research.schema import build
    from research.training.assemble import assemble
    from research.training.data import HistoryData
    from research.training.environment import peak_memory
    from research.training.memory import keep_freed_memory
    from research.training.optimizer import AdamW

    keep_freed_memory()
    config = compose(point.words)
    histories = random_histories(point)
    split = LeaveOneOut()(histories)
    parts = assemble(config, histories, split.train)
    optimizer = build(config.optimizer, AdamW)(nn.ModuleList([parts.model, parts.loss]))
    data = HistoryData(histories, split, parts.objective, max_length=point.length, batch_size=BATCH, seed=1)
    seconds: list[float] = []
    epochs = iter(data.train_dataloader, None)  # as many as the steps need
    batches = itertools.chain.from_iterable(epochs)
    warm_up = 2
    for step in range(warm_up + steps):
        started = time.perf_counter()
        batch = next(batches)
        optimizer.zero_grad()
        fused = parts.model(batch.batch, batch.at)
        (parts.loss(fused, batch.target_N - 1, parts.model.items) / len(batch.at)).backward()
        optimizer.step()
        if step >= warm_up:
            seconds.append(time.perf_counter() - started)
    training_peak = peak_memory()
    block = Blocks(histories, split.test, parts.objective, point.length)[np.arange(BLOCK)]
    parts.model.eval()
    started = time.perf_counter()
    with torch.no_grad():
        catalogue = Catalogue(parts.model.items.candidates())
        fused = parts.model(block.batch, block.at)
        count_better_fused(fused, catalogue, block.target_B, block.seen_row_S, block.seen_item_S)
    ranking = time.perf_counter() - started
    return {
        **asdict(point),
        "interactions": len(histories.items),
        "step_s": statistics.median(seconds),
        "positions_per_s": BATCH * point.length / statistics.median(seconds),
        "peak_training_bytes": training_peak,
        "peak_bytes": peak_memory(),
        "ranked_users_per_s": BLOCK / ranking,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    head = "| items | length | softmax | step (ms) | positions/s | peak, training (GB) | peak (GB) | ranked users/s |"
    lines = [
        "# Cost against catalogue and history length",
        "",
        f"Transformer, width {WIDTH}, {BATCH} histories a step; {rows[0]['interactions']:,} interactions; "
        f"torch {rows[0]['torch']}, {rows[0]['threads']} threads. Made by `python -m scripts.bench.scaling`.",
        "",
        head,
        "|" + "---:|" * 8,
    ]
    for row in rows:
        lines.append(
            f"| {row['n_items']:,} | {row['length']} | {row['loss']} | {1000 * row['step_s']:.0f} | "
            f"{row['positions_per_s']:,.0f} | {row['peak_training_bytes'] / 1e9:.2f} | {row['peak_bytes'] / 1e9:.2f} | "
            f"{row['ranked_users_per_s']:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every point in a process of its own, and write both files."""
    parser = argparse.ArgumentParser(description="Cost against catalogue and history length.")
    parser.add_argument("--quick", action="store_true", help="small points")
    parser.add_argument("--steps", type=int, default=10, help="timed steps of a point")
    parser.add_argument("--out", type=Path, default=RESULTS, help="directory of scaling.json and scaling.md")
    parser.add_argument("--point", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.point:
        sys.stdout.write(json.dumps(measure(Point(**json.loads(a.point)), a.steps)) + "\n")
        return
    from research.data.atomic import write_whole

    rows = []
    for point in points(a.quick):
        sys.stderr.write(f"{point.loss}, {point.n_items:,} items, length {point.length}\n")
        command = [sys.executable, "-m", "scripts.bench.scaling", "--point", json.dumps(asdict(point))]
        with tempfile.TemporaryFile("w+") as out:
            subprocess.run([*command, "--steps", str(a.steps)], stdout=out, check=True)
            out.seek(0)
            rows.append(json.loads(out.read()))
    a.out.mkdir(parents=True, exist_ok=True)
    write_whole(a.out / "scaling.json", (json.dumps(rows, indent=1) + "\n").encode())
    write_whole(a.out / "scaling.md", table(rows).encode())


if __name__ == "__main__":
    main()
