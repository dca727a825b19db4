"""Two gloo processes on the CPU do the work of one: every user once, the same ranks to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from research.training.run import run

RUN = """
import sys, research.cli
sys.exit(research.cli.main(sys.argv[1:]))
"""


def train_in_two(config, tmp_path: Path, *overrides: str) -> Path:
    """``research train trainer=ddp`` as a person types it."""
    from tests.training.conftest import SMALL  # the same words that made ``config``

    script = tmp_path / "research_main.py"
    script.write_text(RUN)
    words = [*SMALL, f"paths.runs={tmp_path / 'two'}", f"paths.cache={config.paths.cache}", *overrides]
    command = [sys.executable, str(script), "train", "--json", "trainer=ddp", "trainer.devices=2", *words]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return Path(json.loads(result.stdout)["directory"])


def test_given_weights_rank_alike_on_one_and_two_processes(small, tmp_path):
    """Each process takes whole blocks, so the rows must be equal bytes, not close numbers."""
    from research.data.load import load
    from research.evaluation.blocks import Blocks, BlockSampler
    from research.evaluation.dot_ranks import Catalogue, count_better_fused
    from research.evaluation.table import Ranks
    from research.training.assemble import assemble

    config = small()
    histories, split = load(config)
    parts = assemble(config, histories, split.train)
    parts.model.eval()

    def rows(rank: int, world: int) -> list[Ranks]:
        blocks = Blocks(histories, split.test, parts.objective, config.max_length)
        found = []
        for chosen in BlockSampler(split.test, size=7, rank=rank, world=world):
            block = blocks[chosen]
            with torch.no_grad():
                fused = parts.model(block.batch, block.at)
                catalogue = Catalogue(parts.model.items.candidates())
                counts = count_better_fused(fused, catalogue, block.target_B, block.seen_row_S, block.seen_item_S)
            weight = fused.weight_N2.numpy()
            found.append(
                Ranks.of_queries(histories, split.test, chosen, *(c.numpy() for c in counts), weight_B2=weight)
            )
        return found

    alone = Ranks.gather(rows(0, 1)).to_arrow()
    together = Ranks.gather([*rows(1, 2), *rows(0, 2)]).to_arrow()
    assert alone.equals(together)


def test_ranks_of_the_same_weights_are_the_same_bytes(small, tmp_path):
    """A learning rate below float32's reach leaves the initial weights: both sides then rank with the same ones."""
    still = ["optimizer.lr=1e-60", "trainer.max_epochs=1"]
    one = run(small(*still))[1]
    two = train_in_two(small(), tmp_path, *still)
    assert (one / "weights.safetensors").read_bytes() == (two / "weights.safetensors").read_bytes()
    assert (one / "ranks.parquet").read_bytes() == (two / "ranks.parquet").read_bytes()
    assert np.array_equal(np.sort(pq.read_table(two / "ranks.parquet")["user"].to_numpy()), np.arange(60))
    found = [json.loads((place / "record.json").read_text())["branch_correlation"] for place in (one, two)]
    assert found[0] is not None and found[0] == found[1], "to the last bit"
