"""Evaluation rules that differ from ours: for standing beside published tables, and for data where people come back.

Ours is ``evaluation=null``: the whole catalogue, seen items are no candidates, every target counts. The switches:

candidates   ``uniform``: drawn with replacement from what the user's training history does not hold, so the validation
             item may be among them, and the target too (SASRec's ``util.py``). ``popularity``: distinct items, drawn in
             proportion to training interactions, none of the user's history (BERT4Rec's ``run.py``).
seen         ``zero``: a seen item stays a candidate with the score 0 and so outranks every item below 0; so does a
             target that was seen (S3-Rec's and HGN's evaluation code). ``kept``: a seen item is a candidate like any
             other (session evaluation since GRU4Rec). Places are visited again and songs heard again; by our rule a
             target that was seen stands last.
cold_targets ``dropped``: who is asked for an item that training never saw is not asked (RecTools).

What is in force stands in the record's protocol, in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from omegaconf import DictConfig

from research.errors import UserError
from research.schema import build

SEEN = {"filtered": "filtered", "zero": "scored 0", "kept": "ranked like others"}
"""What a record says of seen items."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """The switches."""

    candidates: Literal["catalogue", "uniform", "popularity"]
    """What a target is ranked against."""
    negatives: int = 100
    """Drawn candidates beside the target; the catalogue needs no number."""
    seed: int = 0
    """Of that draw, which is the same for every model, epoch and seed of training."""
    seen: Literal["filtered", "zero", "kept"]
    """What becomes of items that the user has seen, where the catalogue is ranked."""
    cold_targets: Literal["kept", "dropped"]
    """What becomes of targets that training never saw."""

    def __post_init__(self) -> None:
        if self.negatives < 1:
            raise UserError(f"evaluation.negatives={self.negatives}: at least 1.")
        if self.drawn and self.seen != "filtered":
            raise UserError(
                f"evaluation.seen={self.seen} is about a ranking of the whole catalogue, and "
                f"evaluation.candidates={self.candidates} draws some items. Leave one of the two out."
            )

    @property
    def drawn(self) -> bool:
        """Whether candidates are drawn instead of all being ranked."""
        return self.candidates != "catalogue"

    @property
    def plain_ranking(self) -> bool:
        """Whether ranks are counted as without any rule."""
        return not self.drawn and self.seen == "filtered"

    def protocol(self) -> dict[str, str]:
        """What a record says of the ranking, of seen items and of further quirks."""
        if not self.drawn:
            said = {"ranking": "full catalogue", "seen": SEEN[self.seen]}
        elif self.candidates == "uniform":
            said = {"ranking": f"{self.negatives} items drawn uniformly", "seen": "of training not drawn"}
        else:
            said = {"ranking": f"{self.negatives} items drawn by popularity", "seen": "not drawn"}
        return said | ({"cold_targets": "dropped"} if self.cold_targets == "dropped" else {})


OURS = Published(candidates="catalogue", seen="filtered", cold_targets="kept")
"""What ``evaluation=null`` says."""


def rule_of(config: DictConfig) -> Published | None:
    """The published rule that a configuration asks for; ``None``: ours."""
    return build(config.evaluation, Published) if config.get("evaluation") else None


def protocol_of(config: DictConfig) -> dict[str, str]:
    """What a record says of the ranking, and of every quirk that is in force."""
    said = (rule_of(config) or OURS).protocol()
    if config.get("avoid") and config.avoid.get("items") == "whole" and not config.get("baseline"):
        said["negatives"] = "avoid the validation and test item"
    if config.get("baseline") and config.baseline["_target_"].endswith(".PopularityOfAll"):
        said["counts"] = "all interactions, test items among them"
    return said
