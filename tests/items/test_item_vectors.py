"""Vectors of a file: every format gives the same table, matched by item id; what is wrong with a file is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.numpy import save_file

from research.errors import UserError
from research.items.ids_from import IdsFrom
from research.items.vectors import Vectors
from research.sizes import Sizes

pytestmark = pytest.mark.filterwarnings("ignore:by hand. .* items have no")
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(4, 6)).astype(np.float32)
IDS = ["i3", "other", "i1", "i4"]
SIZES = Sizes(3, n_items=4)


def write(path: Path, rows: np.ndarray = ROWS, ids: list[str] = IDS) -> dict[str, str]:
    """The settings that read the file again."""
    lines = path.with_suffix(".ids.txt")
    lines.write_text("\n".join(ids) + "\n")
    if path.suffix == ".npy":
        np.save(path, rows)
    elif path.suffix == ".npz":
        np.savez(path, item=np.array(ids), vector=rows)
    elif path.suffix == ".parquet":
        pl.DataFrame({"item": ids, "vector": rows.tolist()}).write_parquet(path)
    else:
        save_file({"vector": rows}, path)
    return {"path": str(path)} | ({"ids": str(lines)} if path.suffix in (".npy", ".safetensors") else {})


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors", ".parquet"])
def test_every_format(content, tmp_path: Path, suffix: str) -> None:
    settings = write(tmp_path / f"v{suffix}")
    with pytest.warns(UserWarning, match=rf"by hand: 1 of 4 items have no vector in .*v{suffix} \(such as i2\)"):
        items = Vectors(SIZES, content(count=[1, 1, 1, 1]), **settings)  # type: ignore[arg-type]
    matched = np.stack([ROWS[2], 0 * ROWS[0], ROWS[0], ROWS[3]])
    want = matched / np.sqrt((matched[[0, 2, 3]] ** 2).sum(1).mean())
    np.testing.assert_allclose(items.x_IE, want, rtol=1e-5)
    assert items.known(torch.arange(4)).tolist() == [True, False, True, True]
    torch.testing.assert_close(items.candidates(), torch.from_numpy(want.astype(np.float32)) @ items.adaptor.weight.T)


def test_ids_in_the_file_and_other_names_and_types(content, tmp_path: Path) -> None:
    """MovieLens posters are such a file: whole numbers as ids, half precision."""
    np.savez(tmp_path / "f.npz", item_id=np.array([3, 1], dtype=np.int16), features=ROWS[:2].astype(np.float16))
    made = content(count=[1, 1, 1])
    object.__setattr__(made, "item_ids", np.array(["1", "2", "3"]))
    settings = {"id_column": "item_id", "vector_column": "features"}
    items = Vectors(Sizes(3, n_items=3), made, path=str(tmp_path / "f.npz"), **settings)  # type: ignore[arg-type]
    want = ROWS[:2].astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(items.x_IE[[2, 0]] / items.x_IE[2, 0], want / want[0, 0], rtol=1e-4)


def test_a_missing_vector_may_be_learned(content, tmp_path: Path) -> None:
    items = Vectors(SIZES, content(count=[1] * 4), **write(tmp_path / "v.npz"), missing="learned")  # type: ignore[arg-type]
    torch.testing.assert_close(items.candidates()[1], items.missing_D)
    assert items.known(torch.arange(4)) is None


def test_what_is_fitted_looks_at_trained_items_alone(content, tmp_path: Path) -> None:
    """Else a new item would move the vectors that a trained model knows."""
    rows = ROWS.copy()
    first = write(tmp_path / "a.npz", rows, ["i1", "i2", "i3", "i4"])
    rows[3] *= 100
    second = write(tmp_path / "b.npz", rows, ["i1", "i2", "i3", "i4"])
    made = content(count=[1, 2, 1, 0])
    for settings in ({}, {"reduce": "whiten", "components": 2}, {"reduce": "pca"}):
        a, b = (Vectors(SIZES, made, **one, **settings).x_IE for one in (first, second))  # type: ignore[arg-type]
        torch.testing.assert_close(a[:3], b[:3])
        assert (a[3] != b[3]).any()


class TestIdsFrom:
    def start(self, settings: dict[str, str], **more) -> dict:
        return {"_target_": "research.items.vectors.Vectors", **settings, **more}

    def test_they_begin_at_the_principal_components(self, content, tmp_path: Path) -> None:
        from sklearn.decomposition import PCA

        settings = write(tmp_path / "v.npz")
        torch.manual_seed(0)
        start = self.start(settings, reduce="pca", components=2)
        items = IdsFrom(Sizes(2, n_items=4), content(count=[1] * 4), std=0.5, start=start)
        want = PCA(2).fit_transform(ROWS[[2, 0, 3]])
        want *= 0.5 / np.sqrt((want**2).mean())
        got = items.candidates().detach().numpy()
        np.testing.assert_allclose(np.abs(got[[0, 2, 3]]), np.abs(want), rtol=1e-3, atol=1e-4)
        torch.manual_seed(0)
        alone = IdsFrom(Sizes(2, n_items=4), std=0.5, start=start).candidates()
        torch.testing.assert_close(items.candidates()[1], alone[1])  # an item without a vector begins at random
        assert [name for name, _ in items.named_parameters()] == ["table.weight"] and items.matrix()[1] == 1

    def test_another_width(self, content, tmp_path: Path) -> None:
        start = self.start(write(tmp_path / "v.npz"))
        with pytest.raises(UserError, match=r"items\.start gives vectors of 6 numbers, and width=3"):
            IdsFrom(SIZES, content(count=[1] * 4), start=start)

    def test_no_part(self, content) -> None:
        with pytest.raises(UserError, match=r"none is named\. Use items=ids_from_text"):
            IdsFrom(SIZES, content(count=[1] * 4))


class TestMistakes:
    def refused(self, content, match: str, **settings) -> None:
        with pytest.raises(UserError, match=match):
            Vectors(SIZES, content(count=[1] * 4), **settings)

    def test_of_the_file(self, content, tmp_path: Path) -> None:
        self.refused(content, r"items=vectors needs a file: items\.path=FILE")
        self.refused(content, "There is no file .*nowhere.npy", path=str(tmp_path / "nowhere.npy"))
        (tmp_path / "v.csv").write_text("1,2")
        self.refused(content, r"v\.csv: vectors are read from \.npy, \.npz", path=str(tmp_path / "v.csv"))
        for suffix in ("npy", "npz", "safetensors", "parquet"):
            (tmp_path / f"bad.{suffix}").write_bytes(b"no such thing")
            self.refused(content, rf"bad\.{suffix} cannot be read as", path=str(tmp_path / f"bad.{suffix}"))

    def test_no_pickle_is_read(self, content, tmp_path: Path) -> None:
        np.save(tmp_path / "p.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        self.refused(content, "cannot be read as an array", path=str(tmp_path / "p.npy"))

    def test_of_its_ids(self, content, tmp_path: Path) -> None:
        settings = write(tmp_path / "v.npy")
        self.refused(content, r"does not say which items its rows are.*items\.ids=FILE", path=settings["path"])
        (tmp_path / "v.ids.txt").write_text("i1\ni2")
        self.refused(content, "has 4 vectors and 2 ids", **settings)
        self.refused(
            content,
            "v.npz has none of the items of 'by hand': it has a, b, c",
            **write(tmp_path / "v.npz", ids=[*"abcd"]),
        )
        twice = write(tmp_path / "t.npz", ids=["i1", "i2", "i1", "i3"])
        self.refused(content, "an item id occurs more than once", **twice)

    def test_of_its_vectors(self, content, tmp_path: Path) -> None:
        flat = write(tmp_path / "flat.npz", rows=ROWS[:, 0])
        self.refused(content, r"vectors are a rectangle of numbers.*shape \(4,\)", **flat)
        self.refused(content, r"has no 'vec'; it has item, vector", **write(tmp_path / "v.npz"), vector_column="vec")
        pl.DataFrame({"item": IDS, "vector": [[1.0], [1.0, 2.0], [3.0], [4.0]]}).write_parquet(tmp_path / "r.parquet")
        self.refused(content, "have several lengths", path=str(tmp_path / "r.parquet"))
        infinite = ROWS.copy()
        infinite[0, 0] = np.inf
        self.refused(content, "are not finite", **write(tmp_path / "i.npz", rows=infinite))
