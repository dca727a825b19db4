"""RecBole: SASRec and GRU4Rec with cross-entropy over the catalogue, through its trainer's own epoch.

It makes every prefix of a history a row of its own, so the window counts prefixes, and a history is done when all of
its prefixes are. Its evaluation of sequential models does not filter seen items.
"""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import Window, arguments, free_stdout, read, write

ANSWER = free_stdout()
ASKED = arguments(["transformer", "gru"])
sys.argv = sys.argv[:1]  # RecBole reads the command line of whoever hosts it

from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

MODELS = {
    "transformer": (
        "SASRec",
        {
            "hidden_size": 64,
            "inner_size": 64,
            "n_layers": 2,
            "n_heads": 2,
            "hidden_dropout_prob": 0.2,
            "attn_dropout_prob": 0.2,
        },
    ),
    "gru": ("GRU4Rec", {"embedding_size": 64, "hidden_size": 64, "num_layers": 1, "dropout_prob": 0.2}),
}


class ClosedError(Exception):
    """The window is closed."""


def main() -> None:
    """Measure."""
    window, data = Window(ASKED.warmup, ASKED.window), read(ASKED.data)
    user, item, place = data.rows(0)
    name, sizes = MODELS[ASKED.model]
    # A row of 200 positions needs four times the memory of one of 50.
    batch = 2048 if ASKED.max_length <= 50 else 512
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "bench"
        home.mkdir()
        header = "user_id:token\titem_id:token\ttimestamp:float"
        rows = np.stack([user, item, place], axis=1)
        np.savetxt(home / "bench.inter", rows, fmt="%d", delimiter="\t", header=header, comments="")
        config = Config(
            model=name,
            dataset="bench",
            config_dict={
                **sizes,
                "loss_type": "CE",
                "train_neg_sample_args": None,
                "data_path": folder,
                "checkpoint_dir": folder,
                "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
                "USER_ID_FIELD": "user_id",
                "ITEM_ID_FIELD": "item_id",
                "TIME_FIELD": "timestamp",
                "MAX_ITEM_LIST_LENGTH": ASKED.max_length,
                "eval_args": {
                    "split": {"LS": "valid_and_test"},
                    "group_by": "user",
                    "order": "TO",
                    "mode": {"valid": "full", "test": "full"},
                },
                "metrics": ["Recall", "NDCG"],
                "topk": [10],
                "valid_metric": "NDCG@10",
                "learning_rate": 1e-3,
                "train_batch_size": batch,
                "eval_batch_size": 256,
                "epochs": 1,
                "use_gpu": False,
                "show_progress": False,
                "state": "ERROR",
            },
        )
        init_seed(1, True)
        dataset = create_dataset(config)
        train, _, test = data_preparation(config, dataset)
        model = get_model(config["model"])(config, train.dataset).to(config["device"])
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
        previous = 0

        def watched(interaction):
            """Its own loss; a step has ended when the next one asks for a loss."""
            nonlocal previous
            if previous and window.step(previous):
                raise ClosedError
            previous = len(interaction)
            return model.calculate_loss(interaction)

        try:
            for epoch in range(10**6):
                trainer._train_epoch(train, epoch, loss_func=watched)
        except ClosedError:
            pass
        started = time.perf_counter()
        trainer.evaluate(test, load_best_model=False)
        seconds = time.perf_counter() - started
    write(
        ANSWER,
        window,
        rows_per_epoch=len(train.dataset),
        histories=len(np.unique(user)),
        eval_users_per_s=len(test.dataset) / seconds,
        packages=["recbole", "ray", "pandas"],
        seen="not filtered",
        batch=f"{batch} prefixes",
    )


if __name__ == "__main__":
    main()
