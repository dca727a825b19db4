"""What the machine's matrix products reach here and now, in fp32 and bf16: the ceiling of every other number.

Run alone: ``python -m scripts.bench.peaks``
"""

from __future__ import annotations

import json
import sys
import time

import torch

SHAPES = {"square 4096": (4096, 4096, 4096), "square 2048": (2048, 2048, 2048), "Beauty logits": (1536, 64, 12101)}
"""Rows, inner size and columns of the products."""


def gflops(shape: tuple[int, int, int], kind: torch.dtype, seconds: float) -> float:
    """Best rate of one product in GFLOP/s, over as many repeats as ``seconds`` allow, two at least."""
    m, k, n = shape
    a, b = torch.randn(m, k).to(kind), torch.randn(k, n).to(kind)
    torch.mm(a, b)  # the first one compiles the kernel
    best, repeats, end = float("inf"), 0, time.perf_counter() + seconds
    while repeats < 2 or time.perf_counter() < end:
        started = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - started)
        repeats += 1
    return 2 * m * k * n / best / 1e9


def measure(seconds: float = 0.5, shapes: dict[str, tuple[int, int, int]] = SHAPES) -> dict[str, object]:
    """GFLOP/s of each shape and the best of each precision."""
    rates = {
        name: {"fp32": gflops(shape, torch.float32, seconds), "bf16": gflops(shape, torch.bfloat16, seconds)}
        for name, shape in shapes.items()
    }
    return {
        "shapes": rates,
        "fp32_gflops": max(rate["fp32"] for rate in rates.values()),
        "bf16_gflops": max(rate["bf16"] for rate in rates.values()),
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()) + "\n")
