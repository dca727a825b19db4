"""What the data say of the items: titles, categories, how often each was trained on; and where encodings are kept.

Shape legend: I items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from research.data.columns import Feature
from research.data.histories import Histories
from research.errors import UserError


@dataclass(frozen=True)
class Content:
    """Row ``i`` of everything is item ``i + 1``.

    Attributes:
        name: of the dataset, for messages.
        item_ids: ``(I,)`` the source's own names.
        cache: the data cache; encodings lie below it.
        titles: ``(I,)``, empty where there is none; ``None`` where the source has none at all.
        features: such as ``genre``: any number of words for each item.
        count_I: training interactions of each item; ``None`` where nothing was trained.
        added: so many items at the end were added behind the catalogue that was trained on. What is fitted to vectors
            (whitening, scale) never looks at items without training interactions, so they change nothing there.
    """

    name: str
    item_ids: np.ndarray
    cache: Path
    titles: np.ndarray | None = None
    features: Mapping[str, Feature] = field(default_factory=dict)
    count_I: np.ndarray | None = None
    added: int = 0

    @classmethod
    def of(cls, histories: Histories, cache: Path, count_I: np.ndarray | None = None, added: int = 0) -> Content:
        """That of a dataset.

        Args:
            histories: the dataset.
            cache: the data cache.
            count_I: training interactions of each item.
            added: so many items at its end were added after training.
        """
        return cls(histories.name, histories.item_ids, cache, histories.titles, histories.item_features, count_I, added)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def seen_I(self) -> np.ndarray:
        """``(I,)`` which items training met; all of them where nothing was trained."""
        return np.ones(len(self), dtype=bool) if self.count_I is None else np.asarray(self.count_I) > 0

    def texts(self, fields: Sequence[str]) -> list[str]:
        """One text an item: the title as it is, further fields as ``genre: Drama, War``, parted by ``. ``.

        Items of which no field says anything have an empty text.

        Args:
            fields: ``title``, or names of features.

        Raises:
            UserError: the dataset has no such field, or no item has any text.
        """
        for name in fields:
            if name not in self._fields():
                known = ", ".join(self._fields())
                have = f"It has: {known}. Say fields=[{known}]" if known else "It has no text at all. Choose another"
                raise UserError(
                    f"Items are to be read as text from {name!r}, which {self.name!r} does not have. {have}, or a "
                    "dataset or mirror that brings it."
                )
        columns = [self._column(name) for name in fields]
        texts = [". ".join(filter(None, parts)) for parts in zip(*columns, strict=True)]
        if not any(texts):
            raise UserError(f"No item of {self.name!r} has any text in {', '.join(fields) or 'no fields'}.")
        return texts

    def chosen(self, names: Sequence[str] | None) -> list[Feature]:
        """Some features, or all of them, by name.

        Raises:
            UserError: there is no such feature, or none at all.
        """
        known = ", ".join(self.features) or "none"
        for name in self.features if names is None else names:
            if name not in self.features:
                raise UserError(f"Items of {self.name!r} have no categories called {name!r}. Known: {known}.")
        if not self.features or names == []:
            raise UserError(
                f"Items of {self.name!r} have no categories. Choose another part, or a dataset or mirror that brings "
                "them (ml-100k, ml-1m, beauty-s3)."
            )
        return [self.features[name] for name in (names if names is not None else sorted(self.features))]

    def _fields(self) -> list[str]:
        return [*(["title"] if self.titles is not None else []), *self.features]

    def _column(self, name: str) -> list[str]:
        if name == "title" and self.titles is not None:
            return [str(title).strip() for title in self.titles.tolist()]
        feature = self.features[name]
        words = [", ".join(filter(None, feature.of(row))) for row in range(len(self))]
        return [f"{name}: {some}" if some else "" for some in words]
