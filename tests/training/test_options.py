"""Every way to train: a tiny run of each ends with a record, and a killed one continues to the same bytes."""

from __future__ import annotations

import pytest

from research.config import compose, identity, options
from research.errors import UserError
from research.training.callbacks import Progress
from research.training.compatible import check_compatible
from research.training.run import run
from tests.training.test_run import same_results

SPARSE = ("items.sparse=true", "loss=sampled_softmax", "loss.negatives=8")
NEEDS = {"user_discrepancy": ("encoder@long=user", "encoder@short=evolving_query")}
"""What a term cannot do without."""
WAYS = {
    **{f"loss={name}": (f"loss={name}",) for name in options("loss")},
    **{f"auxiliary={name}": (f"auxiliary={name}", *NEEDS.get(name, ())) for name in options("auxiliary")},
    **{f"augmentation={name}": (f"augmentation={name}",) for name in options("augmentation")},
    **{f"schedule={name}": (f"schedule={name}", "schedule.warmup_steps=2") for name in options("schedule")},
    **{f"scoring={name}": (f"scoring={name}", "scoring.temperature=0.2") for name in options("scoring")},
    "averaging=ema": ("averaging=ema", "averaging.decay=0.9"),
    "averaging=swa": ("averaging=swa", "averaging.start_epoch=2"),
    "branch_dropout": ("branch_dropout=by_history", "branch_dropout.short=0.2"),
    "sparse": SPARSE,
    "popularity": ("loss=sampled_softmax", "loss.source=popularity", "loss.correction=all"),
    "batch": ("loss=sampled_softmax", "loss.source=batch", "loss.shared=false", "loss.negatives=3"),
    "hidden items": ("objective=masked_item", "augmentation=[crop,insert,mask,reorder]", "auxiliary=contrast"),
}
TOGETHER = (
    *SPARSE,
    "loss.source=popularity",
    "auxiliary=[contrast,next_step]",
    "augmentation=[crop,insert,mask,reorder]",
    "schedule=cosine",
    "schedule.warmup_steps=3",
    "branch_dropout=by_history",
    "scoring=cosine",
    "averaging=ema",
    "averaging.decay=0.8",
)


@pytest.mark.parametrize("words", WAYS.values(), ids=WAYS.keys())
def test_it_trains(small, words) -> None:
    record, directory = run(small(*words, "trainer.max_epochs=2"))
    assert record["status"] == "finished" and 0 < record["test"]["ndcg@10"] < 1
    assert (directory / "weights.safetensors").exists()


def test_every_averaging_is_tried() -> None:
    assert {f"averaging={name}" for name in options("averaging")} <= set(WAYS)


@pytest.mark.parametrize("words", [TOGETHER, ("averaging=swa", "averaging.start_epoch=2", "loss=bce")])
def test_killed_run_continues_to_the_same_bytes(small, words) -> None:
    words = (*words, "trainer.max_epochs=4")
    _, whole = run(small(*words, where="whole"))

    def die(progress: Progress) -> None:
        if progress.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(small(*words, where="broken"), report=die)
    same_results(whole, run(small(*words, where="broken"))[1])


PLAIN = ("trainer.max_epochs=2",)


@pytest.mark.parametrize(
    "words",
    [
        ("schedule=constant",),
        ("scoring=dot",),
        ("branch_dropout=by_history", "branch_dropout.long=0"),
        ("averaging=swa", "averaging.start_epoch=3"),
    ],
    ids=lambda words: words[0],
)
def test_an_option_that_does_nothing_changes_no_number(small, words) -> None:
    plain, other = (run(small(*PLAIN, *w, where=name))[1] for name, w in (("plain", ()), ("other", words)))
    assert (plain / "ranks.parquet").read_bytes() == (other / "ranks.parquet").read_bytes()


def test_an_option_that_is_not_chosen_is_no_part_of_the_identity() -> None:
    assert not {"schedule", "averaging", "augmentation", "scoring", "branch_dropout"} & set(compose([]))
    assert identity(compose(["schedule=linear"])) != identity(compose([]))
    one, other = (identity(compose([f"augmentation={x}"])) for x in ("[crop,mask]", "[mask,crop]"))
    assert one == other, "they are applied in the order of their names"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["items.sparse=true"], r"loss=cross_entropy needs all.*loss=sampled_softmax"),
        ([*SPARSE, "auxiliary=label_smoothing"], r"auxiliary=label_smoothing needs all"),
    ],
)
def test_sparse_gradients_need_losses_that_draw(words, message) -> None:
    with pytest.raises(UserError, match=message):
        check_compatible(compose(words))


def test_averages_are_what_is_tested(small) -> None:
    """With a memory so long that the average stays near the first weights, the test must see those."""
    still = ("averaging=ema", "averaging.decay=0.999999", "trainer.max_epochs=6", "optimizer.lr=0.03")
    averaged = run(small(*still))[0]["test"]["ndcg@10"]
    plain = run(small(*still[2:]))[0]["test"]["ndcg@10"]
    assert averaged != plain and plain > averaged
