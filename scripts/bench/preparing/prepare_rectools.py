"""RecTools: a data frame, its `Dataset`, and what SASRec's preparator makes of it before the first batch."""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

from pathlib import Path

import pandas as pd
from clock import measured
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel


def prepare(path: Path) -> int:
    """As its tutorials do."""
    names = [Columns.User, Columns.Item, Columns.Weight, Columns.Datetime]
    frame = pd.read_csv(path, sep="\t", header=None, names=names)
    frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="s")
    dataset = Dataset.construct(frame)
    model = SASRecModel(session_max_len=200)
    model._init_data_preparator()
    model.data_preparator.process_dataset_train(dataset)
    return len(dataset.interactions.df)


if __name__ == "__main__":
    measured(prepare, ["rectools", "pandas"], "its Dataset and SASRec's training frame, in memory")
