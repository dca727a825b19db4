"""Pictures as items, with a tiny vision model: encodings against one picture at a time, and what may be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from transformers import AutoImageProcessor, AutoModel, ViTConfig, ViTModel
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from research.errors import UserError
from research.items.image import Image
from research.sizes import Sizes

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:by hand. .* items have no")]
SIZES = Sizes(4, n_items=4)


@pytest.fixture(scope="module")
def tiny_vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("models") / "tiny-vit"
    config = ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=16,
        patch_size=8,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ViTModel(config).save_pretrained(directory)
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(directory)
    return directory


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Of the items i1, i3 and i4, in three formats and sizes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size in (("i1.jpg", 20), ("i3.png", 16), ("i4.webp", 33)):
        Pillow.fromarray(rng.integers(0, 255, (size, size, 3), dtype=np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_against_one_picture_at_a_time(content, tiny_vit: Path, pictures: Path, pooling) -> None:
    with pytest.warns(UserWarning, match=r"1 of 4 items have no picture \(such as i2\)"):
        items = Image(SIZES, content(count=[1] * 4), model=str(tiny_vit), folder=str(pictures), pooling=pooling)
    model, processor = AutoModel.from_pretrained(tiny_vit).eval(), AutoImageProcessor.from_pretrained(tiny_vit)
    want = []
    for name in ("i1.jpg", "i3.png", "i4.webp"):
        pixels = processor(images=Pillow.open(pictures / name).convert("RGB"), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            states = model(pixel_values=pixels).last_hidden_state[0]
        want.append((states[0] if pooling == "cls" else states.mean(0)).numpy())
    scaled = np.stack(want) / np.sqrt((np.stack(want) ** 2).sum(1).mean())
    np.testing.assert_allclose(items.x_IE[[0, 2, 3]], scaled, rtol=1e-3, atol=1e-5)
    assert (items.x_IE[1] == 0).all() and items.candidates().shape == (4, 4)


def test_they_are_seen_once_and_changed_ones_again(content, tiny_vit: Path, pictures: Path, monkeypatch) -> None:
    made = content(count=[1] * 4)

    def see() -> torch.Tensor:
        return Image(SIZES, made, model=str(tiny_vit), folder=str(pictures)).x_IE

    first = see()
    with monkeypatch.context() as patch:
        patch.setattr("research.items.image._encode", None)
        torch.testing.assert_close(see(), first, rtol=0, atol=0)
    Pillow.new("RGB", (9, 9), "red").save(pictures / "i3.png")
    assert not torch.allclose(see()[2], first[2])


def test_mistakes(content, tiny_vit: Path, pictures: Path, tmp_path: Path) -> None:
    def refused(match: str, **settings) -> None:
        with pytest.raises(UserError, match=match):
            Image(SIZES, content(count=[1] * 4), **settings)

    model = {"model": str(tiny_vit)}
    refused(r"items=image needs a vision model and a folder", **model)
    refused("There is no folder .*nowhere", folder=str(tmp_path / "nowhere"), **model)
    (tmp_path / "empty").mkdir()
    refused(
        r"has no picture of an item of 'by hand'; they are to be called i1\.jpg",
        folder=str(tmp_path / "empty"),
        **model,
    )
    (pictures / "i3.png").write_bytes(b"no picture")
    refused(r"i3\.png cannot be read as a picture", folder=str(pictures), **model)
