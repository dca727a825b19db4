"""Lightning's contexts around its hooks do nothing here, and hide nothing."""

from __future__ import annotations

import lightning as pl
import pytest
from lightning.pytorch.demos.boring_classes import BoringModel

from research.training.profiler import NoProfiler


def test_contexts_nest_and_let_errors_through() -> None:
    profiler = NoProfiler()
    with profiler.profile("outer"), profiler.profile("inner"), profiler.profile("inner"):
        pass
    with pytest.raises(ValueError, match="inside"), profiler.profile("hook"):
        raise ValueError("inside")


def test_a_run_with_it_calls_the_same_hooks() -> None:
    class Heard(BoringModel):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[str] = []

        def on_train_batch_end(self, *_: object) -> None:
            self.calls.append("batch")

        def on_train_epoch_end(self) -> None:
            self.calls.append("epoch")

    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    calls = []
    for profiler in (NoProfiler(), None):
        model = Heard()
        options = {"max_epochs": 1, "limit_train_batches": 2, "limit_val_batches": 0, "accelerator": "cpu"}
        pl.Trainer(profiler=profiler, enable_model_summary=False, **quiet, **options).fit(model)
        calls.append(model.calls)
    assert calls[0] == calls[1] == ["batch", "batch", "epoch"]
