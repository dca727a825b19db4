"""Parts of an item table: their vectors against hand-made ones, their gradient against plain autograd.

Shape legend: N positions, I items, P parts, E numbers of a given vector, D width.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from research.config import compose
from research.errors import UserError
from research.fusion.base import Fused
from research.items.adaptors import MixtureOfExperts
from research.items.base import ItemTable
from research.items.categories import Categories
from research.items.combine import COMBINE
from research.items.combined import Combined
from research.items.ids import Ids
from research.items.random import Random
from research.items.reduction import reduced
from research.losses.cross_entropy import CrossEntropy
from research.schema import build
from research.sizes import Sizes

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:by hand. .* items have no")]

OWN = "part_of_ones_own"
GENRES = [["war", "drama"], ["love"], [], ["war"], ["love", "war", "drama"], ["comedy"]]
SIZES = Sizes(4, n_items=6)
IDS = {"_target_": "research.items.ids.Ids"}
CATEGORIES = {"_target_": "research.items.categories.Categories"}
RANDOM = {"_target_": "research.items.random.Random", "numbers": 5}
KINDS = ["ids", "categories", "learned", "linear", "mlp", "moe", *COMBINE]


def table(kind: str, content) -> ItemTable:
    torch.manual_seed(0)
    if kind == "ids":
        made = Ids(SIZES, content)
    elif kind in ("categories", "learned"):
        made = Categories(SIZES, content, missing="zero" if kind == "categories" else "learned")
    elif kind in COMBINE:
        parts = {"ids": IDS, "categories": CATEGORIES, "random": RANDOM}
        made = Combined(SIZES, content, parts=parts, combine=kind)  # type: ignore[arg-type]
    else:
        made = Random(SIZES, content, numbers=5, adaptor=kind)  # type: ignore[arg-type]
    return made.double().eval()


class TestContract:
    """What every table promises."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_reads_and_scores_with_the_same_vectors(self, content, kind: str) -> None:
        items = table(kind, content(genres=GENRES))
        candidates_ID = items.candidates()
        assert candidates_ID.shape == (6, 4) and candidates_ID.dtype == torch.float64
        read = items(torch.tensor([[3, 1, 0], [6, 3, 7]]))
        assert read.shape == (2, 3, 4)
        for (b, t), item in {(0, 0): 3, (0, 1): 1, (1, 0): 6, (1, 1): 3}.items():
            torch.testing.assert_close(read[b, t], candidates_ID[item - 1])
        row = torch.tensor([[5, 5], [0, 2]])
        torch.testing.assert_close(items.candidates_of(row), candidates_ID[row])
        matrix, first = items.matrix()
        torch.testing.assert_close(matrix[first : first + 6], candidates_ID)
        assert (read[1, 2] != 0).all(), "the vector that hides an item is no padding"
        if kind != "ids":
            assert (read[0, 2] == 0).all()

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_gradient_is_that_of_plain_autograd(self, content, kind: str) -> None:
        """Through both ends at once: items are read and scored, as in a step."""
        items = table(kind, content(genres=GENRES))
        history, target_N = torch.tensor([[1, 3, 0], [2, 6, 7]]), torch.tensor([4, 2])
        plain = items.candidates()
        # Naive: a row for padding and one for the hidden item, by hand.
        ends = items(torch.tensor([0, 7]))
        all_rows = torch.cat([ends[:1], plain, ends[1:]])
        naive = F.cross_entropy(all_rows[history].sum(1) @ plain.T, target_N, reduction="sum")
        want = torch.autograd.grad(naive, list(items.parameters()), allow_unused=True)
        for kernel in ("fused", "portable"):
            loss = CrossEntropy(torch.ones(6), kernel=kernel, precision="fp32")  # type: ignore[arg-type]
            got_loss = loss(Fused(items(history).sum(1), None), target_N, items)
            assert got_loss.item() == pytest.approx(naive.item(), rel=1e-12)
            got = torch.autograd.grad(got_loss, list(items.parameters()), allow_unused=True)
            for a, b in zip(got, want, strict=True):
                assert (a is None) == (b is None)
                if a is not None:
                    torch.testing.assert_close(a, b)
        assert any(g is not None and g.abs().sum() > 0 for g in want)

    @pytest.mark.parametrize("kind", [k for k in KINDS if k != "ids"])
    def test_a_step_reaches_every_parameter(self, content, kind: str) -> None:
        """Processes that train together need it, whatever is hidden and whatever is not."""
        items = table(kind, content(genres=GENRES)).train()
        (items(torch.tensor([1, 2])).sum() + items.candidates().sum()).backward()
        assert all(p.grad is not None for p in items.parameters())

    @pytest.mark.parametrize("kind", ["linear", "mlp", "moe", "categories", "ids"])
    def test_each_begins_with_the_spread_of_ids(self, content, kind: str) -> None:
        torch.manual_seed(1)
        sizes = Sizes(32, n_items=300)
        given = content(genres=[[f"g{i}"] for i in range(300)])
        if kind in ("linear", "mlp", "moe"):
            made = Random(sizes, given, numbers=48, adaptor=kind)  # type: ignore[arg-type]
        else:
            made = Ids(sizes, given) if kind == "ids" else Categories(sizes, given)
        assert made.eval().candidates().std().item() == pytest.approx(0.02, rel=0.05)

    @pytest.mark.parametrize("kind", KINDS)
    def test_sizes_alone_give_the_same_shapes(self, kind: str) -> None:
        assert table(kind, None).candidates().shape == (6, 4)


class TestCategories:
    def test_the_mean_of_the_vectors(self, content) -> None:
        items = Categories(SIZES, content(genres=GENRES))
        war, drama, love, comedy = items.table.weight[1:5].detach()  # by first appearance
        want = torch.stack([(war + drama) / 2, love, 0 * war, war, (love + war + drama) / 3, comedy])
        torch.testing.assert_close(items.candidates(), want)
        assert items.known(torch.arange(6)).tolist() == [True, True, False, True, True, True]

    def test_none_may_have_a_vector_that_is_learned(self, content) -> None:
        items = Categories(SIZES, content(genres=GENRES), missing="learned")
        torch.testing.assert_close(items.candidates()[2], items.missing_D.detach())
        assert items.known(torch.arange(6)) is None

    def test_several_columns_do_not_share_vectors(self, content) -> None:
        from research.items.content import Content
        from tests.items.conftest import feature

        base = content(genres=GENRES)
        brand = feature([["x"], ["y"], ["x"], [], ["y"], ["x"]])
        both = Content(base.name, base.item_ids, base.cache, None, {"genre": base.features["genre"], "brand": brand})
        items = Categories(SIZES, both)
        assert len(items.table.weight) == 1 + 2 + 4  # brand comes first in the alphabet
        x, y, war, drama, love, _ = items.table.weight[1:].detach()
        torch.testing.assert_close(items.candidates()[:4], torch.stack([(x + war + drama) / 3, (y + love) / 2, x, war]))
        torch.testing.assert_close(Categories(SIZES, both, features=["brand"]).candidates()[3], torch.zeros(4))

    def test_items_without_any_are_counted(self, content) -> None:
        with pytest.warns(UserWarning, match=r"by hand: 1 of 6 items have no categories \(such as i3\)"):
            Categories(SIZES, content(genres=GENRES))

    def test_mistakes(self, content) -> None:
        with pytest.raises(UserError, match=r"no categories called 'gender'\. Known: genre\."):
            Categories(SIZES, content(genres=GENRES), features=["gender"])
        with pytest.raises(UserError, match=r"Items of 'by hand' have no categories\. Choose another part"):
            Categories(SIZES, content(titles=["a"] * 6))


class TestRandom:
    def test_it_is_drawn_from_the_seed_item_by_item(self, content) -> None:
        def drawn(seed: int, n: int) -> torch.Tensor:
            torch.manual_seed(seed)
            return Random(Sizes(4, n_items=n), content(count=[1, 2, 3] + [0] * (n - 3)), numbers=7).x_IE

        torch.testing.assert_close(drawn(1, 3), drawn(1, 3))
        assert (drawn(1, 3) != drawn(2, 3)).all()
        # New items behind the others change nothing.
        torch.testing.assert_close(drawn(1, 3), drawn(1, 9)[:3])

    def test_they_stay_as_they_are(self, content) -> None:
        items = Random(SIZES, content(count=[1] * 6), numbers=5)
        assert {name for name, _ in items.named_parameters()} == {"mask_D", "adaptor.weight"}
        assert set(items.state_dict()) == {"mask_D", "adaptor.weight"}, "a checkpoint fits a longer catalogue"

    def test_it_has_the_size_of_text(self, content) -> None:
        from research.items.text import Text

        sizes = [sum(p.numel() for p in part(SIZES).parameters()) for part in (Random, Text)]
        assert sizes[0] == sizes[1] == 384 * 4 + 4

    def test_no_numbers(self) -> None:
        with pytest.raises(UserError, match=r"items\.numbers=0"):
            Random(SIZES, numbers=0)


class TestMixtureOfExperts:
    def test_the_formula_of_the_paper(self) -> None:
        torch.manual_seed(0)
        moe = MixtureOfExperts(5, 3).double().eval()
        for parameter in moe.parameters():
            torch.nn.init.normal_(parameter)
        x_UE = torch.randn(4, 5, dtype=torch.float64)
        for x, got in zip(x_UE, moe(x_UE), strict=True):
            gate = (x @ moe.gate_EX).softmax(0)
            want = sum(gate[e] * ((x - moe.shift_XE[e]) @ moe.map_XED[e]) for e in range(8))
            torch.testing.assert_close(got, want)

    def test_noise_and_dropout_belong_to_training(self) -> None:
        moe, x_UE = MixtureOfExperts(5, 3), torch.randn(4, 5)
        assert not torch.equal(moe.train()(x_UE), moe(x_UE))
        assert torch.equal(moe.eval()(x_UE), moe(x_UE))


class TestReduction:
    X_IE = np.random.default_rng(0).normal(size=(40, 6)) @ np.random.default_rng(1).normal(size=(6, 6)) + 3.0
    ALL = np.ones(40, dtype=bool)

    @pytest.mark.parametrize("kind", ["pca", "whiten"])
    def test_against_scikit_learn(self, kind) -> None:
        from sklearn.decomposition import PCA

        fit_I = np.arange(40) < 30
        got = reduced(self.X_IE, fit_I, kind, 4)
        peer = PCA(4, whiten=kind == "whiten").fit(self.X_IE[fit_I])
        want = peer.transform(self.X_IE)
        if kind == "whiten":
            want *= math.sqrt(30 / 29)  # they divide by one less
        np.testing.assert_allclose(np.abs(got), np.abs(want), rtol=1e-3, atol=1e-4)
        assert got.dtype == np.float32

    def test_signs_are_settled(self) -> None:
        """Mirrored data have mirrored directions, which come out as the same ones."""
        got, mirrored = reduced(self.X_IE, self.ALL, "pca", 6), reduced(-self.X_IE, self.ALL, "pca", 6)
        np.testing.assert_allclose(got, -mirrored, rtol=1e-3, atol=1e-4)

    def test_whitened_is_white(self) -> None:
        got = reduced(self.X_IE, self.ALL, "whiten", None)
        np.testing.assert_allclose(got.T @ got / 40, np.eye(6), atol=1e-3)

    def test_fewer_items_than_numbers_leave_zeros(self) -> None:
        got = reduced(self.X_IE[:3], self.ALL[:3], "whiten", 5)
        assert np.isfinite(got).all() and (got[:, 2:] == 0).all() and (got[:, :2] != 0).all()

    def test_mistakes(self) -> None:
        with pytest.raises(UserError, match=r"components=7: the vectors have 6 numbers"):
            reduced(self.X_IE, self.ALL, "pca", 7)
        with pytest.raises(UserError, match=r"components=3 are kept by reduce=pca or reduce=whiten"):
            reduced(self.X_IE, self.ALL, "none", 3)


class TestCombine:
    V_UPD = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    KNOWN_UP = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0], [0, 1, 1]], dtype=torch.bool)

    def test_by_hand(self) -> None:
        for name, cls in COMBINE.items():
            torch.manual_seed(0)
            combine = cls(3, 4).double()
            masked = self.V_UPD * self.KNOWN_UP[:, :, None]
            for u, got in enumerate(combine(masked, self.KNOWN_UP)):
                v, known = masked[u], self.KNOWN_UP[u].tolist()
                there = [p for p in range(3) if known[p]]
                level = torch.stack([x / (x.square().mean() + 1e-6).sqrt() for x in v])
                if name == "sum":
                    want = v[0] + v[1] + v[2]
                elif name == "concat":
                    want = combine.mix.weight @ torch.cat([v[0], v[1], v[2]])
                elif not there:
                    want = torch.zeros(4, dtype=torch.float64)
                elif name == "gate":
                    score = (combine.gate.weight @ level.flatten() + combine.gate.bias).reshape(3, 4)
                    total = sum(score[p].exp() for p in there)
                    want = sum(score[p].exp() / total * v[p] for p in there)
                else:
                    look, query = combine.look, combine.query.weight[0]
                    score = [math.exp(float(query @ torch.tanh(look.weight @ x + look.bias))) for x in level]
                    want = sum(score[p] / sum(score[q] for q in there) * v[p] for p in there)
                torch.testing.assert_close(got, want)

    @pytest.mark.parametrize("name", COMBINE)
    def test_a_gradient_is_finite_where_nothing_is_known(self, name: str) -> None:
        v_UPD = torch.zeros(2, 3, 4, requires_grad=True)
        COMBINE[name](3, 4)(v_UPD, torch.zeros(2, 3, dtype=torch.bool)).sum().backward()
        assert v_UPD.grad is not None and v_UPD.grad.isfinite().all()


class TestCombined:
    PARTS = {"ids": IDS, "categories": CATEGORIES}  # noqa: RUF012

    def test_the_sum_of_its_parts(self, content) -> None:
        torch.manual_seed(0)
        items = Combined(SIZES, content(genres=GENRES), parts=self.PARTS)
        want = items.parts["ids"].candidates() + items.parts["categories"].candidates()
        torch.testing.assert_close(items.candidates(), want)

    def test_ids_begin_as_they_do_alone(self, content) -> None:
        """So that two arms differ in what is added."""
        torch.manual_seed(0)
        alone = Ids(SIZES)
        torch.manual_seed(0)
        both = Combined(SIZES, content(genres=GENRES), parts=self.PARTS)
        torch.testing.assert_close(both.parts["ids"].table.weight, alone.table.weight)

    def test_the_id_of_an_item_that_was_never_trained_on_is_left_out(self, content) -> None:
        made = content(genres=GENRES, count=[5, 0, 1, 0, 2, 2])
        items = Combined(SIZES, made, parts=self.PARTS)
        ids, categories = items.parts["ids"].candidates(), items.parts["categories"].candidates()
        got = items.candidates()
        torch.testing.assert_close(got[[1, 3]], categories[[1, 3]])
        torch.testing.assert_close(got[[0, 4]], (ids + categories)[[0, 4]])
        got.sum().backward()
        grad = items.parts["ids"].table.weight.grad
        assert (grad[[2, 4]] == 0).all() and (grad[[1, 3, 5, 6]] != 0).all()

    def test_items_are_added_behind_a_trained_catalogue(self, content) -> None:
        """The checkpoint of six items fits eight: old vectors stay, new items are their categories."""
        old = Combined(SIZES, content(genres=GENRES, count=[1] * 6), parts=self.PARTS, combine="gate")
        longer = content(genres=[*GENRES, ["love"], []], count=[1] * 6 + [0] * 2)
        new = Combined(Sizes(4, n_items=8), replace(longer, added=2), parts=self.PARTS, combine="gate")
        new.load_state_dict(old.state_dict())
        torch.testing.assert_close(new.candidates()[:6], old.candidates())
        torch.testing.assert_close(new(torch.tensor([9])), old(torch.tensor([7])))
        love = new.parts["categories"].candidates()[6]
        torch.testing.assert_close(new.candidates()[6], love)
        assert new.known(torch.tensor([6, 7])).tolist() == [True, False]
        with pytest.raises(RuntimeError, match="size mismatch"):
            Combined(Sizes(4, n_items=8), longer, parts=self.PARTS, combine="gate").load_state_dict(old.state_dict())

    def test_dropout_hides_parts_and_never_all(self, content) -> None:
        torch.manual_seed(0)
        sizes = Sizes(4, n_items=4000)
        items = Combined(sizes, content(genres=[["war"]] * 4000), parts=self.PARTS, dropout=0.3)
        known = items._knowledge(torch.arange(4000))
        shown = items._shown(known)
        assert shown.any(dim=1).all()
        # Of four outcomes the one that hides both becomes the one that hides none: 0.3 * 0.7 are hidden.
        assert float(1 - shown[:, 0].double().mean()) == pytest.approx(0.21, abs=0.02)
        assert float(1 - shown[:, 1].double().mean()) == pytest.approx(0.21, abs=0.02)
        items.eval()
        torch.testing.assert_close(items._shown(known), known)
        torch.testing.assert_close(items.candidates(), items.candidates())

    def test_one_hides_an_item_not_each_part(self, content) -> None:
        items = Combined(SIZES, content(genres=GENRES), parts={**self.PARTS, "random": RANDOM})
        assert [name for name, _ in items.named_parameters() if "mask" in name] == ["mask_D"]

    def test_mistakes(self, content) -> None:
        made = content(genres=GENRES)
        with pytest.raises(UserError, match=r"Two parts or more are combined; items\.parts has ids"):
            Combined(SIZES, made, parts={"ids": IDS, "text": None})
        with pytest.raises(UserError, match=r"items\.dropout=1\.0"):
            Combined(SIZES, made, parts=self.PARTS, dropout=1.0)
        with pytest.raises(UserError, match=r"items\.parts\.ids\.sparse=true"):
            Combined(SIZES, made, parts={**self.PARTS, "ids": {**IDS, "sparse": True}})
        with pytest.raises(UserError, match="is not a ItemTable"):
            Combined(SIZES, made, parts={**self.PARTS, "ids": {"_target_": "research.fusion.sum.Sum"}})


class TestTexts:
    """What an item's text is made of."""

    def test_fields(self, content) -> None:
        made = content(titles=[" Heat ", "Toy Story", ""], genres=[["war", "love"], [], ["comedy"]])
        assert made.texts(["title"]) == ["Heat", "Toy Story", ""]
        assert made.texts(["title", "genre"]) == ["Heat. genre: war, love", "Toy Story", "genre: comedy"]

    def test_mistakes(self, content) -> None:
        with pytest.raises(UserError, match=r"from 'title', which 'by hand' does not have\. It has: genre\. Say fiel"):
            content(genres=GENRES).texts(["title"])
        with pytest.raises(UserError, match=r"from 'title'.*It has no text at all"):
            content(count=[1, 2]).texts(["title"])
        with pytest.raises(UserError, match=r"No item of 'by hand' has any text in title"):
            content(titles=["", "  "]).texts(["title"])


class TestAPartOfOnesOwn:
    """docs/content.md: one file with one method."""

    def test_as_it_stands_on_the_page(self, content, tmp_path, monkeypatch) -> None:
        page = (Path(__file__).parents[2] / "docs" / "content.md").read_text()
        blocks = re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        assert [name for name, _ in blocks] == ["research/items/decade.py", "configs/items/decade.yaml"]
        (tmp_path / "items").mkdir()
        (tmp_path / f"{OWN}.py").write_text(blocks[0][1])
        (tmp_path / "items" / "decade.yaml").write_text(blocks[1][1].replace("research.items.decade", OWN))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("RESEARCH_CONFIGS", str(tmp_path))
        monkeypatch.setenv("RESEARCH_TRUST", OWN)
        config = compose(["items=text_ids", "items@items.parts.text=decade", "items.combine=attention"])
        titles = ["Heat (1995)", "Jaws (1975)", "Toy Story (1995)", "Alien (1979)"]
        items = build(config["items"], ItemTable, Sizes(4, n_items=4), content(titles=titles))  # type: ignore[type-abstract]
        decade = items.parts["text"].candidates()
        torch.testing.assert_close(decade[0], decade[2])
        assert (decade[0] != decade[1]).all() and items(torch.tensor([[1, 0, 5]])).shape == (1, 3, 4)
