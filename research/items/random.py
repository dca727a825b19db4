"""The control for vectors with a meaning: vectors of the same size without one, through the same adaptor.

If text is to help, it must beat this: an adaptor over fixed random vectors is a compressed table of ids.

Shape legend: I items, E numbers of a vector, D width.
"""

from __future__ import annotations

import numpy as np
import torch

from research.errors import UserError
from research.items import adaptors, reduction
from research.items.content import Content
from research.items.encoded import Encoded, Given
from research.sizes import Sizes


class Random(Encoded):
    """Standard normal vectors, drawn item by item from the run's seed."""

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        numbers: int = 384,
        reduce: reduction.Kind = "none",
        components: int | None = None,
        adaptor: adaptors.Kind = "linear",
        std: float = 0.02,
    ) -> None:
        """Draw them.

        Args:
            sizes: of the run.
            content: of the items; only which were trained on matters.
            numbers: of a vector; 384 are those of the packaged MiniLM.
            reduce: ``none``, ``pca`` or ``whiten``, as for text.
            components: kept by a reduction; ``None``: all.
            adaptor: ``linear``, ``mlp`` or ``moe``, as for text.
            std: standard deviation of the initial item vectors.

        Raises:
            UserError: no numbers, or more components than numbers.
        """
        if numbers < 1:
            raise UserError(f"items.numbers={numbers}: a vector has at least one number.")
        seed = int(torch.randint(2**31, ()))
        # NumPy's stream goes from item to item: one that is added behind the others leaves theirs as they were.
        vectors_IE = np.random.default_rng(seed).standard_normal((sizes.n_items, numbers), dtype=np.float32)
        all_I = np.ones(sizes.n_items, dtype=bool)
        given = Given(vectors_IE, all_I, all_I) if content is None else Given.of(vectors_IE, all_I, content)
        super().__init__(sizes, given, reduce=reduce, components=components, adaptor=adaptor, missing="zero", std=std)
