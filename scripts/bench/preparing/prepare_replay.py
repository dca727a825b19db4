"""RePlay: a data frame, its `Dataset`, and the sequences of its tokenizer, saved."""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from clock import NAMES, measured
from replay.data import Dataset, FeatureHint, FeatureInfo, FeatureSchema, FeatureSource, FeatureType
from replay.data.nn import SequenceTokenizer, TensorFeatureInfo, TensorFeatureSource, TensorSchema


def prepare(path: Path) -> int:
    """As its examples do."""
    frame = pd.read_csv(path, sep="\t", header=None, names=NAMES)
    schema = FeatureSchema(
        [
            FeatureInfo("user_id", FeatureType.CATEGORICAL, FeatureHint.QUERY_ID),
            FeatureInfo("item_id", FeatureType.CATEGORICAL, FeatureHint.ITEM_ID),
            FeatureInfo("timestamp", FeatureType.NUMERICAL, FeatureHint.TIMESTAMP),
        ]
    )
    dataset = Dataset(feature_schema=schema, interactions=frame[["user_id", "item_id", "timestamp"]])
    item = TensorFeatureInfo(
        "item_id",
        is_seq=True,
        feature_type=FeatureType.CATEGORICAL,
        feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")],
        feature_hint=FeatureHint.ITEM_ID,
    )
    sequences = SequenceTokenizer(TensorSchema(item)).fit_transform(dataset)
    with tempfile.TemporaryDirectory() as folder:
        sequences.save(str(Path(folder) / "sequences"))
    return len(frame)


if __name__ == "__main__":
    measured(prepare, ["replay-rec", "pandas"], "sequences of codes, on disk")
