"""RecBole: its atomic file, its dataset, and the rows that SASRec is trained on: one for every prefix of a history."""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import tempfile
from pathlib import Path

from clock import NAMES, measured
from recbole.config import Config
from recbole.data import create_dataset, data_preparation


def prepare(path: Path) -> int:
    """The file gets a header line, as its atomic files have."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "bench"
        home.mkdir()
        kinds = ("token", "token", "float", "float")
        header = "\t".join(f"{name}:{kind}" for name, kind in zip(NAMES, kinds, strict=True))
        (home / "bench.inter").write_bytes(header.encode() + b"\n" + path.read_bytes())
        config = Config(
            model="SASRec",
            dataset="bench",
            config_dict={
                "loss_type": "CE",
                "train_neg_sample_args": None,
                "data_path": folder,
                "checkpoint_dir": folder,
                "load_col": {"inter": NAMES},
                "USER_ID_FIELD": "user_id",
                "ITEM_ID_FIELD": "item_id",
                "TIME_FIELD": "timestamp",
                "MAX_ITEM_LIST_LENGTH": 200,
                "eval_args": {
                    "split": {"LS": "valid_and_test"},
                    "group_by": "user",
                    "order": "TO",
                    "mode": {"valid": "full", "test": "full"},
                },
                "use_gpu": False,
                "show_progress": False,
                "state": "ERROR",
            },
        )
        dataset = create_dataset(config)
        rows = len(dataset)
        data_preparation(config, dataset)
        return rows


if __name__ == "__main__":
    measured(prepare, ["recbole", "pandas"], "a row for every prefix, in memory")
