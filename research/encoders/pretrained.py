"""Any causal backbone of ``transformers`` as an encoder, with stored or random weights.

Items enter where words would (``inputs_embeds``). Where the backbone's width is not the model's, a linear layer leads
in and another out. Whether a backbone looks ahead is found out by trying it; one that does is refused here, and has
``pretrained_bidirectional``: whether an encoder may see both sides must be known before anything is built.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from research.encoders.backbone import fresh, looks_ahead, read, stored
from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class Backbone(Encoder):
    """What both directions share."""

    def __init__(
        self,
        sizes: Sizes,
        *,
        backbone: str,
        weights: str | None,
        layers: int,
        heads: int,
        options: dict[str, Any] | None,
        dropout: float,
    ) -> None:
        super().__init__()
        if options is not None and not isinstance(options, dict):
            raise UserError(f"options={options}: names and values, for example options={{n_inner: 64}}, or null.")
        self.width = sizes.width
        self.dropout = Dropout(dropout)
        if weights is None:
            model = fresh(backbone, sizes.width, layers, heads, sizes.max_length, dropout, options or {})
        else:
            model = stored(weights, dropout)
        config: Any = model.config
        hidden = config.hidden_size
        if looks_ahead(model, hidden, sizes.max_length) == self.causal:
            found, other = ("both sides", "pretrained_bidirectional") if self.causal else ("one side", "pretrained")
            raise UserError(f"{weights or backbone} sees {found} of a position: use the encoder {other} for it.")
        self.model = model
        self.inward = nn.Identity() if hidden == sizes.width else nn.Linear(sizes.width, hidden)
        self.outward = nn.Identity() if hidden == sizes.width else nn.Linear(hidden, sizes.width)

    def encode(self, rows: Rows) -> Tensor:
        x_BTD = self.dropout(self.inward(rows.x_BTD * self.width**0.5))
        # Right padding lies behind every real position: causality hides it.
        h_BTD = read(self.model, x_BTD, None if self.causal else rows.real_BT)
        return self.dropout(self.outward(h_BTD))


class Pretrained(Backbone):
    """A causal backbone."""

    causal: ClassVar[bool] = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        backbone: str = "gpt2",
        weights: str | None = None,
        layers: int = 2,
        heads: int = 2,
        options: dict[str, Any] | None = None,
        dropout: float = 0.1,
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            backbone: model type of transformers; read without ``weights`` only, as are the next three.
            weights: directory of a model, or its name on the hub; ``None`` is random weights.
            layers: number of layers.
            heads: attention heads.
            options: further settings of the backbone's configuration, by its own names.
            dropout: rate on the items and states, and every rate of the backbone.

        Raises:
            UserError: the backbone cannot be made or read, looks ahead, or reads rows that are too short.
        """
        super().__init__(
            sizes, backbone=backbone, weights=weights, layers=layers, heads=heads, options=options, dropout=dropout
        )
