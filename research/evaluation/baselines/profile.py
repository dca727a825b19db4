"""Item vectors of length 1 made without training, and profiles of people: the mean of what they chose, of length 1.

An item that nothing is known of has zeros and says nothing about whoever chose it.

Shape legend: I items, E numbers of a vector, V categories, U users, S earlier interactions, B rows.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.errors import UserError
from research.evaluation.blocks import past_items
from research.items.content import Content
from research.items.encoding import Encoding, encoded_texts

Vectors = np.ndarray | csr_array
"""Rows of numbers; those of categories are mostly zeros and kept as such."""


def text_vectors(content: Content, fields: list[str] | None, model: str) -> np.ndarray:
    """``(I, E)`` of what a language model reads in the items' texts, encoded once into the data cache.

    What all texts share is taken away: the mean over the items that training met. Else all cosines are near 1, and
    whatever is nearest to the mean is recommended to everybody (Mu and Viswanath, ICLR 2018).

    Args:
        content: of the items.
        fields: what an item's text is made of; ``None``: its title.
        model: the packaged MiniLM, a directory, or a name on the hub.

    Raises:
        UserError: the dataset has no such text, or the model cannot be had.
    """
    texts = content.texts(fields or ["title"])
    unit_IE = np.asarray(of_length_one(encoded_texts(texts, content.cache, Encoding(model)).astype(np.float64)))
    known_I = np.array([bool(text) for text in texts])
    met_I = known_I & content.seen_I
    shared_E = unit_IE[met_I if met_I.any() else known_I].mean(axis=0)
    return np.asarray(of_length_one(np.where(known_I[:, None], unit_IE - shared_E, 0.0)))


def category_vectors(content: Content, features: list[str] | None, *, idf: bool) -> csr_array:
    """``(I, V)`` with a number in the place of each category of an item.

    Args:
        content: of the items.
        features: columns of categories, such as ``[genre]``; ``None``: all.
        idf: a rare category counts more, ``1 + ln((1 + n) / (1 + n_v))`` over the items that training met.

    Raises:
        UserError: the dataset has no such categories.
    """
    chosen = content.chosen(features)
    before = np.cumsum([0, *(len(feature.names) for feature in chosen)])
    item_C = np.concatenate([np.repeat(np.arange(len(content)), np.diff(feature.offsets)) for feature in chosen])
    codes = [f.codes.astype(np.int64) - 1 + start for f, start in zip(chosen, before[:-1], strict=True)]
    code_C = np.concatenate(codes)
    hot_IV = csr_array((np.ones(len(code_C)), (item_C, code_C)), shape=(len(content), int(before[-1])))
    hot_IV.data[:] = 1.0  # said twice is said once
    if idf:
        met_IV = hot_IV[content.seen_I]
        weight_V = 1 + np.log((1 + content.seen_I.sum()) / (1 + met_IV.sum(axis=0)))
        hot_IV = csr_array(hot_IV @ diags_array(weight_V))
    return csr_array(of_length_one(hot_IV))


def company_vectors(histories: Histories, train: Spans, numbers: int) -> np.ndarray:
    """``(I, E)`` of who chose the items in training: the strongest directions of the users x items matrix.

    Args:
        histories: the dataset.
        train: its training spans.
        numbers: of a vector at most; the matrix has no more than its users or items, less one.

    Raises:
        UserError: one user or one item is all that there is.
    """
    from scipy.sparse.linalg import svds

    least = min(histories.n_users, histories.n_items)
    if least < 2:
        raise UserError(
            f"baseline.reads=items needs two users and two items, and {histories.name!r} has {histories.n_users} and "
            f"{histories.n_items}. Read text or categories."
        )
    chosen_UI = training_weights(histories, train)
    chosen_UI.data[:] = 1.0  # chosen twice is chosen once
    # The solver begins where it is told to, so that equal data give equal vectors.
    _, size_E, vectors_EI = svds(chosen_UI, k=min(numbers, least - 1), v0=np.ones(least))
    assert vectors_EI is not None
    vectors_IE = vectors_EI.T * size_E
    # Of items that have no part in these directions the solver leaves noise, which must not become a length of 1.
    vectors_IE[squared_lengths(vectors_IE) <= 1e-12 * np.asarray(chosen_UI.sum(axis=0)).ravel()] = 0.0
    return np.asarray(of_length_one(vectors_IE))


def profiles(weight_BI: csr_array, unit_IE: Vectors) -> Vectors:
    """``(B, E)`` weighted means of item vectors, of length 1; zeros where nothing is known of any item."""
    return of_length_one(weight_BI @ unit_IE)


def training_weights(histories: Histories, train: Spans) -> csr_array:
    """``(U, I)`` how often a user chose an item in training."""
    user_N, item_N = np.repeat(train.user, train.length), histories.items[train.positions] - 1
    return csr_array((np.ones(len(item_N)), (user_N, item_N)), shape=(histories.n_users, histories.n_items))


def query_weights(
    histories: Histories, queries: Queries, chosen_B: np.ndarray, half_life: float | None = None
) -> csr_array:
    """``(B, I)`` weights of the items before some queries' targets.

    Args:
        histories: the dataset.
        queries: of it.
        chosen_B: which of them.
        half_life: so many interactions earlier an item counts half; ``None``: all count alike.
    """
    row_S, item_S = past_items(histories, queries, chosen_B)
    stop_B = np.cumsum(queries.stop[chosen_B] - queries.start[chosen_B])
    age_S = stop_B[row_S] - 1 - np.arange(len(row_S))
    weight_S = np.ones(len(row_S)) if half_life is None else 0.5 ** (age_S / half_life)
    return csr_array((weight_S, (row_S, item_S - 1)), shape=(len(chosen_B), histories.n_items))


def squared_lengths(rows_BE: Vectors) -> np.ndarray:
    """``(B,)`` of each row; 0 where nothing is known."""
    return np.asarray((rows_BE * rows_BE).sum(axis=1)).ravel()


def of_length_one(rows_BE: Vectors) -> Vectors:
    """Each row divided by its length; zeros stay."""
    length_B = np.sqrt(squared_lengths(rows_BE))
    return diags_array(1 / np.where(length_B > 0, length_B, 1.0)) @ rows_BE


def dense(rows_BE: Vectors) -> np.ndarray:
    """The same with the zeros written out."""
    return rows_BE if isinstance(rows_BE, np.ndarray) else rows_BE.toarray()
