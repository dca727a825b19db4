"""The Lightning glue: what a step is, what is asked at validation and test.

Shape legend: N supervised positions, B users of a block.
"""

from __future__ import annotations

import math

import lightning as pl
import torch
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from research.data.histories import Histories
from research.data.split import Split
from research.errors import UserError
from research.evaluation.blocks import Block
from research.evaluation.dot_ranks import Catalogue, count_better_fused
from research.evaluation.judge import Judge, judge
from research.evaluation.published import Published
from research.evaluation.scores import CandidateScores, DotScores
from research.evaluation.table import Ranks
from research.fusion.base import Fused
from research.fusion.moments import Moments, correlation_of
from research.losses.sampled import SampledLoss
from research.metrics.mean import MeanMetric
from research.objectives.base import Supervised
from research.training.assemble import Parts
from research.training.optimizer import AdamW
from research.training.schedule import Schedule
from research.training.seeds import derive

MONITOR = "val/ndcg@10"
"""What selects an epoch: NDCG@10 on the validation items, never on the test items."""


class InterestTraining(pl.LightningModule):
    """Trains an ``InterestModel`` and ranks held-out items with it."""

    def __init__(
        self,
        parts: Parts,
        optimizer: AdamW,
        histories: Histories,
        split: Split,
        *,
        positions_per_step: float,
        seed: int,
        schedule: Schedule | None = None,
        rule: Published | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            parts: the model, and the losses that are summed over positions.
            optimizer: makes torch's optimizer.
            histories: names the targets of the queries.
            split: whose queries are asked.
            positions_per_step: what the summed loss is divided by, a constant of the run.
            seed: of the run.
            schedule: of the learning rate, which else is constant.
            rule: how a published table counted; else the whole catalogue is ranked, seen items filtered.
        """
        super().__init__()
        self.model, self.loss, self.auxiliary = parts.model, parts.loss, nn.ModuleList(parts.auxiliary)
        self.optimizer_settings, self.schedule = optimizer, schedule
        self.histories, self.split = histories, split
        self.positions_per_step, self.seed, self.rule = positions_per_step, seed, rule
        self.judge: Judge | None = None
        self.val_ndcg = MeanMetric("ndcg@10")
        self.train_loss = torch.zeros((), dtype=torch.float64)
        self.parts: list[Ranks] = []
        self.ranks: Ranks | None = None
        self.moments: dict[int, Moments] = {}
        self.correlation: float | None = None

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.optimizer_settings(self)
        if self.schedule is None:
            return optimizer
        epochs = int(self.trainer.max_epochs or 1)
        steps = -(-int(self.trainer.estimated_stepping_batches) // epochs)
        scheduler = self.schedule(optimizer, steps, epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_train_batch_start(self, batch: Supervised, batch_idx: int) -> None:
        # Not on_train_epoch_start, which Lightning skips for the first epoch after a resume.
        if batch_idx > 0:
            return
        # A stream of its own for every epoch: a run that resumes here draws the same dropout masks.
        torch.manual_seed(derive(self.seed, "dropout", self.current_epoch, self.global_rank))
        self.train_loss = torch.zeros((), dtype=torch.float64, device=self.device)

    def training_step(self, batch: Supervised, batch_idx: int) -> Tensor:
        views = self.model.views(batch.batch, batch.at)
        fused = self.model.fusion(views)
        asked = (batch.target_N - 1, self.model.items)
        if isinstance(self.loss, SampledLoss) and self.loss.avoid is not None:
            total = self.loss(fused, *asked, user_N=batch.batch.users_B[batch.at.row_N])
        else:
            total = self.loss(fused, *asked)
        for term in self.auxiliary:
            total = total + term(views, fused, batch, self.model.items)
        # DDP averages gradients over processes; each holds its share of the step's sum.
        loss = total * (self.trainer.world_size / self.positions_per_step)
        self.train_loss += loss.detach()
        return loss

    def epoch_loss(self) -> float:
        """Mean loss of this epoch's positions on this process, in nats.

        Raises:
            UserError: it is not finite.
        """
        mean = float(self.train_loss) / max(1, int(self.trainer.num_training_batches))
        if not math.isfinite(mean):
            raise UserError(
                f"The training loss of epoch {self.current_epoch + 1} is {mean}: the weights diverged. "
                f"Lower optimizer.lr (now {self.optimizer_settings.lr}) or set optimizer.clip=1.0."
            )
        return mean

    def on_train_epoch_end(self) -> None:
        self.log("train/loss", self.epoch_loss(), sync_dist=True)

    def on_validation_epoch_start(self) -> None:
        if self.trainer.state.fn == TrainerFn.FITTING:
            self.epoch_loss()  # a diverged model is reported as such, before it is ranked
        self.catalogue = Catalogue(self.model.items.candidates())
        if self.judge is None:
            self.judge = judge(self.rule, self.histories, self.split.train, self.split.validation)

    def validation_step(self, block: Block, batch_idx: int) -> None:
        better_B, ties_B, _ = self._rank(block, self.model(block.batch, block.at))
        self.val_ndcg.update(better_B, ties_B)

    def on_validation_epoch_end(self) -> None:
        self.log(MONITOR, self.val_ndcg.compute().float())
        self.val_ndcg.reset()

    def on_test_epoch_start(self) -> None:
        self.parts, self.ranks, self.moments = [], None, {}
        self.catalogue = Catalogue(self.model.items.candidates())
        self.judge = judge(self.rule, self.histories, self.split.train, self.split.test)

    def test_step(self, block: Block, batch_idx: int) -> None:
        views = self.model.views(block.batch, block.at)
        fused = self.model.fusion(views)
        query_B, *counts = (c.cpu().numpy() for c in (block.query_B, *self._rank(block, fused)))
        weights = None if fused.weight_N2 is None else fused.weight_N2.float().cpu().numpy()
        met = [state_BD.double().cpu().numpy() for state_BD in views.met]
        if len(met) == 2 and met[0].shape == met[1].shape:  # a state may be of several interests
            self.moments[int(query_B[0])] = Moments.of(*met)
        self.parts.append(Ranks.of_queries(self.histories, self.split.test, query_B, *counts, weight_B2=weights))

    def on_test_epoch_end(self) -> None:
        parts = [Ranks.gather(self.parts)] if self.parts else []
        if self.trainer.world_size > 1:
            gathered: list[tuple[list[Ranks], dict[int, Moments]]] = [([], {})] * self.trainer.world_size
            torch.distributed.all_gather_object(gathered, (parts, self.moments))
            parts = [part for some, _ in gathered for part in some]
            self.moments = {first: found for _, some in gathered for first, found in some.items()}
        self.ranks, self.correlation = Ranks.gather(parts), correlation_of(self.moments)

    def _rank(self, block: Block, fused: Fused) -> tuple[Tensor, Tensor, Tensor]:
        asked = (block.target_B, block.seen_row_S, block.seen_item_S)
        if self.judge is None:
            return count_better_fused(fused, self.catalogue, *asked)
        vectors_ID = self.catalogue.candidates_ID
        scores = DotScores(fused.interest_ND, vectors_ID) if fused.dot else CandidateScores(fused, vectors_ID)
        return self.judge(scores, block.query_B, *asked)
