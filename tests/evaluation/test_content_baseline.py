"""The content baseline and the vectors that it reads, against plain loops and scikit-learn's tf-idf.

Shape legend: Q queries, I items, E numbers of a vector.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from sklearn.feature_extraction.text import TfidfTransformer

from research.data.split import LeaveOneOut
from research.data.splits.item_cold import ItemCold
from research.errors import UserError
from research.evaluation.baselines import profile
from research.evaluation.baselines.base import baseline_of, rank_baseline
from research.evaluation.baselines.content import UNKNOWN, ContentProfile
from research.items.content import Content
from tests.evaluation.conftest import feature

USERS = ([1, 2, 3, 4, 5], [2, 3, 2, 1, 6], [7, 7, 4], [6, 2, 1])
GENRES = ([1], [1, 2], [2, 3], [1, 2], [3], [1, 3, 3], [])
"""Codes of items 1 to 7: item 6 says one twice, item 7 says nothing; 2 and 4 are alike."""
SETS = [{1}, {1, 2}, {2, 3}, {1, 2}, {3}, {1, 3}, set()]


@pytest.fixture
def histories(make_histories):
    return replace(make_histories(*USERS, n_items=7), item_features={"genre": feature(GENRES)})


def scores(baseline, histories) -> np.ndarray:
    split = LeaveOneOut()(histories)
    baseline.fit(histories, split.train)
    return baseline.score(histories, split.test, np.array([2, 0, 3, 1]))[[1, 3, 0, 2]]


@pytest.mark.parametrize("half_life", [None, 1.0, 2.5])
@pytest.mark.parametrize("idf", [True, False])
def test_categories_by_a_loop(histories, half_life, idf: bool) -> None:
    trained = {item for user in USERS for item in user[:-2]}
    assert trained == {1, 2, 3, 6, 7}
    said = [sum(v in SETS[i - 1] for i in trained) for v in (1, 2, 3)]
    weight = [1 + np.log(6 / (1 + n)) if idf else 1.0 for n in said]
    vectors = [np.array([weight[v - 1] * (v in one) for v in (1, 2, 3)]) for one in SETS]
    unit = [v / np.linalg.norm(v) if v.any() else v for v in vectors]
    got = scores(ContentProfile(half_life=half_life, idf=idf), histories)
    for q, user in enumerate(USERS):
        known = user[:-1]
        profile = sum(
            (1 if half_life is None else 2 ** (-(len(known) - 1 - at) / half_life)) * unit[item - 1]
            for at, item in enumerate(known)
        )
        for item in range(1, 8):
            length = np.linalg.norm(profile)
            want = unit[item - 1] @ profile / length if length else 0.0
            assert got[q, item - 1] == pytest.approx(UNKNOWN if item == 7 else want, abs=1e-6), (q, item)


def test_what_is_shown_decides_and_not_what_others_chose(histories, make_histories) -> None:
    alone = replace(make_histories(USERS[0], n_items=7), item_features=histories.item_features)
    among_others = scores(ContentProfile(idf=False), histories)[0]
    assert (among_others > 0.2).sum() >= 5
    split = LeaveOneOut()(alone)
    baseline = ContentProfile(idf=False)
    baseline.fit(alone, split.train)
    np.testing.assert_array_equal(baseline.score(alone, split.test, np.array([0]))[0], among_others)


def test_items_of_equal_content_tie_and_unknown_ones_come_last(histories) -> None:
    got = scores(ContentProfile(), histories)
    assert (got[:, 1] == got[:, 3]).all() and (got[:, 6] < got[:, :6].min(axis=1)).all()
    assert (got[2, :6] == 0).all(), "who chose nothing that is known"


def test_tf_idf_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    rows = [sorted(rng.choice(np.arange(1, 9), size=rng.integers(1, 5), replace=False)) for _ in range(30)]
    rows[0] = list(range(1, 9))  # every category has a name
    content = Content("made", np.arange(30).astype(str), Path(), features={"genre": feature(rows)})
    hot_IV = np.array([[float(v in row) for v in range(1, 9)] for row in rows])
    want = TfidfTransformer(norm="l2", smooth_idf=True).fit_transform(hot_IV).toarray()
    np.testing.assert_allclose(profile.category_vectors(content, None, idf=True).toarray(), want, atol=1e-12)


def test_two_columns_of_categories_stand_side_by_side() -> None:
    features = {"genre": feature(([1], [2], [])), "brand": feature(([], [1], [1]))}
    content = Content("made", np.array(["a", "b", "c"]), Path(), features=features)
    half = 0.5**0.5  # brand comes first: the alphabet's order
    want = [[0, 1, 0], [half, 0, half], [1, 0, 0]]
    np.testing.assert_allclose(profile.category_vectors(content, None, idf=False).toarray(), want)
    np.testing.assert_allclose(profile.category_vectors(content, ["brand"], idf=False).toarray(), [[0], [1], [1]])


class TestText:
    """The language model is stood in for: its vectors are made by hand."""

    @pytest.fixture
    def titled(self, histories, monkeypatch: pytest.MonkeyPatch):
        asked = []

        def encoded(texts, cache, how) -> np.ndarray:
            asked.append((list(texts), cache, how.model))
            rng = np.random.default_rng(1)
            vectors = rng.normal(size=(len(texts), 4)) + 3.0  # far from zero, as language models' are
            return np.where(np.array([bool(t) for t in texts])[:, None], vectors, 0).astype(np.float32)

        monkeypatch.setattr(profile, "encoded_texts", encoded)
        return replace(histories, titles=np.array(["a", "b", "c", "d", "e", "f", ""])), asked

    def test_by_a_loop(self, titled, tmp_path: Path) -> None:
        histories, asked = titled
        baseline = ContentProfile(reads="text", model="mine")
        baseline.cache = tmp_path
        got = scores(baseline, histories)
        assert asked == [(["a", "b", "c", "d", "e", "f", ""], tmp_path, "mine")]
        raw = (np.random.default_rng(1).normal(size=(7, 4)) + 3.0).astype(np.float32).astype(np.float64)[:6]
        unit = [v / np.linalg.norm(v) for v in raw]
        shared = sum(unit[i - 1] for i in (1, 2, 3, 6)) / 4  # the titled items that training meets
        centred = [v - shared for v in unit]
        unit = [v / np.linalg.norm(v) for v in centred]
        mean = sum(unit[item - 1] for item in USERS[0][:-1])
        want = [u @ mean / np.linalg.norm(mean) for u in unit]
        np.testing.assert_allclose(got[0], [*want, UNKNOWN], atol=1e-6)

    def test_other_fields(self, titled) -> None:
        histories, asked = titled
        scores(ContentProfile(reads="text", fields=["title", "genre"]), histories)
        assert asked[0][0][:2] == ["a. genre: g1", "b. genre: g1, g2"] and asked[0][0][6] == ""


def test_a_cold_item_is_ranked_by_what_it_is(make_histories) -> None:
    """Two tastes, and a cold item of the first: the profile finds it; no interaction tells of it."""
    users = [[1, 2, 3, 4], [2, 1, 4, 3], [3, 4, 1, 2], [4, 3, 2, 1], [5, 6, 7, 8], [8, 7, 6, 5]]
    rows = [[1]] * 4 + [[2]] * 4
    histories = replace(make_histories(*users, n_items=8), item_features={"genre": feature(rows)})
    split = ItemCold(share=0.3, seed=1)(histories)
    assert split.test.cold is not None and split.test.cold.any()
    ranks = rank_baseline(ContentProfile(), histories, split)
    assert (ranks.better == 0).all(), "all of the same genre are seen but the target"
    assert (ranks.candidates == 5).all() and (ranks.ties == 0).all()


def test_the_cache_is_that_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "usual"))
    node = {"_target_": "research.evaluation.baselines.content.ContentProfile", "reads": "text"}

    def built(cache: str | None):
        return baseline_of(OmegaConf.create({"baseline": node, "paths": {"cache": cache}}))

    baseline = built(str(tmp_path))
    assert isinstance(baseline, ContentProfile) and baseline.reads == "text" and baseline.cache == tmp_path
    assert built(None).cache == tmp_path / "usual"


class TestErrors:
    def test_no_categories(self, make_histories) -> None:
        histories = make_histories([1, 2, 3])
        with pytest.raises(UserError, match="Items of 'by hand' have no categories"):
            ContentProfile().fit(histories, LeaveOneOut()(histories).train)

    def test_no_titles(self, histories) -> None:
        with pytest.raises(UserError, match=r"'title', which 'by hand' does not have"):
            ContentProfile(reads="text").fit(histories, LeaveOneOut()(histories).train)

    def test_an_unknown_column(self, histories) -> None:
        with pytest.raises(UserError, match=r"no categories called 'brand'\. Known: genre"):
            ContentProfile(features=["brand"]).fit(histories, LeaveOneOut()(histories).train)

    def test_a_half_life_of_nothing(self) -> None:
        with pytest.raises(UserError, match=r"baseline\.half_life=0"):
            ContentProfile(half_life=0)
