"""Any backbone of ``transformers`` that sees both sides, such as BERT, for hidden items only (see ``pretrained``)."""

from __future__ import annotations

from typing import Any, ClassVar

from research.encoders.pretrained import Backbone
from research.sizes import Sizes


class PretrainedBidirectional(Backbone):
    """A backbone that looks ahead."""

    causal: ClassVar[bool] = False

    def __init__(
        self,
        sizes: Sizes,
        *,
        backbone: str = "bert",
        weights: str | None = None,
        layers: int = 2,
        heads: int = 2,
        options: dict[str, Any] | None = None,
        dropout: float = 0.1,
    ) -> None:
        """Make the encoder; arguments and errors as for ``Pretrained``, except that it must look ahead."""
        super().__init__(
            sizes, backbone=backbone, weights=weights, layers=layers, heads=heads, options=options, dropout=dropout
        )
