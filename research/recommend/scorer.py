"""What is asked of whoever scores a history for the whole catalogue, and how a model's scores become numbers.

Shape legend: I items of the catalogue, A of them added behind those that training knew, D width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from research.evaluation.scores import CandidateScores, DotScores
from research.fusion.base import Fused
from research.recommend.answer import Shares
from research.recommend.asked import Asked

CHUNK = 4096
"""Items scored at one time."""


@dataclass(frozen=True)
class Scored:
    """Attributes: ``(I,)`` float64 scores; shares, or ``(I,)`` long-term shares of each item, where there are some."""

    score_I: np.ndarray
    shares: Shares | None = None
    long_I: np.ndarray | None = None


class Scorer(ABC):
    """Scores a history."""

    known_A: np.ndarray
    """Which of the added items it has something to say of."""
    reads_content: bool
    """Whether it could say something of any added item."""
    history_as_text: bool
    """Whether an encoder reads the titles of a history, whatever an item is to its score."""
    reads_times: list[str]
    """Parts that read times."""
    columns: tuple[str, ...]
    """Carried columns that it reads."""

    @abstractmethod
    def __call__(self, asked: Asked) -> Scored:
        """Score the catalogue.

        Raises:
            UserError: the history is nobody's, and the model learned a vector for each user.
        """


def catalogue_scores(fused: Fused, candidates_ID: Tensor) -> np.ndarray:
    """``(I,)`` scores of the only asked position, with the rounding under which runs are ranked: equal items tie.

    Raises:
        UserError: one of them is not finite.
    """
    if fused.dot:
        scores, longest = DotScores(fused.interest_ND, candidates_ID), candidates_ID.double().norm(dim=1).max()
        unit = float(fused.interest_ND.double().norm() * longest) / 2**24
    else:
        scores, unit = CandidateScores(fused, candidates_ID), 1.0
    starts = range(0, len(candidates_ID), CHUNK)
    parts = [scores.chunk(start, min(start + CHUNK, len(candidates_ID)))[0] for start in starts]
    return torch.cat(parts).double().numpy() * unit
