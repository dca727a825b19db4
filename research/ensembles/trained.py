"""A finished run that scores again: its configuration and weights, read from its record.

Nothing of a record is executed: the configuration is checked like any other, weights are safetensors.

Shape legend: B queries, I items.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from research.data.histories import Histories
from research.data.load import load
from research.data.reading import columns_read
from research.data.split import Queries, Split
from research.errors import UserError
from research.evaluation.baselines.base import baseline_of
from research.evaluation.blocks import Blocks
from research.schema import check
from research.training.assemble import Parts, assemble


class TrainedRun:
    """A run of a model, or of a baseline, which is fitted again."""

    def __init__(self, directory: Path) -> None:
        """Read its record.

        Raises:
            UserError: there is no finished run in the directory, or its record is damaged.
        """
        self.directory = directory
        try:
            self.record: dict[str, Any] = json.loads((directory / "record.json").read_text())
            config = OmegaConf.create(self.record["config"])
        except FileNotFoundError as error:
            raise UserError(
                f"{directory} holds no run: record.json is missing. Give runs/STUDY/CELL/seed-N."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{directory / 'record.json'} is damaged ({error}); run it again.") from error
        if self.record.get("status") != "finished":
            raise UserError(f"{directory}: this run has not finished ({self.record.get('reason', 'no reason given')}).")
        assert isinstance(config, DictConfig)
        config.paths = {"runs": "runs", "cache": None, "mirrors": None}  # this machine's, not those of the run
        check(config)
        self.config = config

    @property
    def name(self) -> str:
        """Its label and seed."""
        return f"{self.record['label']}, seed {self.record['seed']}"

    def load(self) -> tuple[Histories, Split]:
        """Its data.

        Raises:
            UserError: the data are no longer those that it was trained on.
        """
        histories, split = load(self.config)
        if histories.digest != self.record["data"]["digest"]:
            raise UserError(
                f"{self.directory} was trained on other data than {histories.name} holds now "
                f"(digest {self.record['data']['digest'][:12]}, now {histories.digest[:12]}). Train it again."
            )
        return histories, split

    def parts(self, histories: Histories, split: Split, added: int = 0) -> Parts:
        """Its model with its weights, ready to be asked, and how it is asked.

        Args:
            histories: as of `load`, perhaps with a longer catalogue.
            split: as of `load`.
            added: so many items at the end of the catalogue were added after training.

        Raises:
            UserError: the weights are missing or do not fit.
        """
        parts = assemble(self.config, histories, split.train, added)
        try:
            parts.model.load_state_dict(load_file(self.directory / "weights.safetensors"))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{self.directory}: its weights cannot be read ({reason}). Train it again.") from error
        parts.model.eval()
        return parts

    def scorer(self, histories: Histories, split: Split) -> Callable[[Queries, np.ndarray], Tensor]:
        """A function of queries and indices of some of them: ``(B, I)`` float64 scores of the catalogue.

        Raises:
            UserError: the weights are missing or do not fit.
        """
        if self.config.get("baseline"):
            baseline = baseline_of(self.config)
            baseline.fit(histories, split.train)
            return lambda queries, chosen_B: torch.from_numpy(baseline.score(histories, queries, chosen_B)).double()
        parts = self.parts(histories, split)
        model = parts.model
        columns = columns_read(model.modules(), histories)

        def score(queries: Queries, chosen_B: np.ndarray) -> Tensor:
            block = Blocks(histories, queries, parts.objective, self.config.max_length, columns)[chosen_B]
            with torch.no_grad():
                return model(block.batch, block.at).double().score(model.items.candidates().double())

        return score
