"""`research ablate`: what is left out of which model, and that the file is a study."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from omegaconf import DictConfig

from research import cli
from research.ablation.arms import WHOLE, arms
from research.ablation.parts import touches
from research.ablation.write import model_words, write_ablation
from research.catalogue import assembled
from research.config import compose, options
from research.errors import UserError
from research.statistics.declared import read_claims
from research.studies.plan import plan
from research.studies.study import read_study_file
from research.training.names import cell

SMALL = ["data=simulated", "width=8", "max_length=10"]
TINY = [
    *SMALL,
    "data.n_users=40",
    "data.n_items=30",
    "data.mean_length=10",
    "batch_size=16",
    "trainer.max_epochs=1",
    "trainer.threads=1",
    "trainer.accelerator=cpu",
]
ONE_BRANCH = {"bert4rec", "comirec", "esasrec", "gru4rec", "gsasrec", "hstu", "nextitnet", "sasrec", "tisasrec"}
ONE_BRANCH |= {"bert_lstm", "recformer_style"}


def parameters(words: list[str]) -> int:
    return sum(p.numel() for p in assembled(compose(words), 5, 4).parameters())


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words are composed once, by the ablation or by the plan: most of the time of a test is Hydra's."""
    known: dict[tuple[str, ...], DictConfig] = {}

    def compose_once(words: list[str]) -> DictConfig:
        key = tuple(sorted(words))
        return known[key] if key in known else known.setdefault(key, compose(words))

    for module in ("ablation.arms", "ablation.parts", "studies.plan"):
        monkeypatch.setattr(f"research.{module}.compose", compose_once)


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("clsr", "narm", "sasrec", "shan", "slirec") else pytest.mark.slow)
        for name in options("model")
    ],
)
def test_every_model_gives_a_study_whose_plan_composes(name: str, tmp_path: Path) -> None:
    try:
        path, found = write_ablation([f"model={name}", *SMALL], tmp_path / "a.yaml", seeds=2)
    except UserError as error:
        assert name in ONE_BRANCH and "no part" in str(error)  # all that it has is its one encoder and cross-entropy
        return
    study = read_study_file(str(path))
    runs = plan(study, [])
    labels = [run.label for run in runs if run.config.seed == 2]
    assert labels == list(found.own) and labels[0] == WHOLE, "no arm is the run of another one"
    assert study.baseline == {"arm": WHOLE} and study.seeds == [1, 2]
    assert [c.worse for c in read_claims({"claims": study.claims}, labels, "a")] == labels[1:]
    whole = compose([f"model={name}", *SMALL])
    assert cell(next(run.config for run in runs if run.label == WHOLE)) == cell(whole)
    assert {"without short branch", "without long branch"} <= set(labels) or name in ONE_BRANCH | {"shan"}
    for text in (path.read_text().splitlines()[0], f"# {study.question}"):
        assert text == f"# Which parts of {name} does its result need?"


def test_what_is_left_out_of_a_model_with_everything() -> None:
    words = [
        *(*SMALL, "fusion=gated", "fusion.elementwise=false", "window.k=5", "loss=bce", "loss.negatives=3"),
        *("avoid=training", "auxiliary=[contrast,decorrelation]", "augmentation=[crop,mask]", "schedule=cosine"),
        *("averaging=ema", "branch_dropout=by_history", "recent_mask=uniform", "scoring=cosine"),
    ]
    found = arms(words)
    plain = ["branch_dropout=null", "auxiliary=[]"]
    gate = ["fusion=gated", "fusion.elementwise=false"]
    composed = {name: compose([*found.shared, *own]) for name, own in found.own.items()}
    assert found.own[WHOLE] and compose([*found.shared, *found.own[WHOLE]]) == compose(words)
    assert set(composed) == {
        *(WHOLE, "without short branch", "without long branch", "sum instead of gated", "fixed weight", "random gate"),
        *("same branch twice", "one encoder", "long branch with as many parameters", "without window"),
        *("long view ends before the window", "without contrast", "without decorrelation"),
        *("cross-entropy instead of bce", "without crop", "without mask", "without branch dropout"),
        *("without recent mask", "without schedule", "without averaging", "without scoring"),
    }
    # The branch that is left is not hidden, and a term of both branches goes with the other one.
    alone = composed["without short branch"]
    assert not alone.get("branch_dropout") and not alone.auxiliary and alone.fusion._target_.endswith("LongOnly")
    assert set(plain) <= set(found.own["without long branch"]) and not set(gate) & set(found.own["without long branch"])
    assert composed["same branch twice"].fusion.elementwise is False
    assert list(composed["without contrast"].auxiliary) == ["decorrelation"]
    assert list(composed["without crop"].augmentation) == ["mask"]
    assert composed["without window"].window._target_.endswith("All") and "k" not in composed["without window"].window
    loss = composed["cross-entropy instead of bce"]
    assert loss.loss._target_.endswith("CrossEntropy") and not loss.get("avoid") and "negatives" not in loss.loss
    untouched = {"without window", "without crop", "without scoring", "cross-entropy instead of bce"}
    assert all(composed[name].fusion == composed[WHOLE].fusion for name in untouched)


def test_one_branch_with_as_many_parameters() -> None:
    """To within the two numbers a dimension that a last neuron would cost."""
    words = [*SMALL, "encoder@long=transformer", "encoder@short=gru", "fusion=gated"]
    found = arms(words)
    wide = [*found.shared, *found.own["long branch with as many parameters"]]
    assert 0 <= parameters(words) - parameters(wide) < 2 * 8


def test_a_view_is_not_taken_twice_where_the_window_is_everything() -> None:
    found = arms(["model=slirec", *SMALL])
    reasons = {each.name: each.reason for each in found.left_out}
    assert "window=all" in reasons["same branch twice, one encoder"]
    assert "gate without candidate" in found.own and "same branch twice" not in found.own


def test_one_encoder_for_both_views() -> None:
    """Its long branch is that encoder with its settings; two of them are another arm."""
    found = arms(["fusion=weighted_twin", "encoder@short=gru", "short.layers=2", *SMALL])
    alone, two = (compose([*found.shared, *found.own[name]]) for name in ("without short branch", "two encoders"))
    for config in (alone, two):
        assert config.long._target_.endswith("GRU") and config.long.layers == 2
    assert two.fusion._target_.endswith("weighted.Weighted") and two.short.layers == 2


def test_nothing_to_take_away() -> None:
    with pytest.raises(UserError, match=r"no part of .*fusion=long_only reads one branch only"):
        write_ablation([*SMALL, "fusion=long_only"])


@pytest.mark.parametrize(
    ("change", "word", "gone"),
    [
        ("fusion=sum", "fusion.weight=fixed", True),
        ("fusion=sum", "fusion=gated", True),
        ("encoder@long=gru", "long.layers=2", True),
        ("encoder@long=gru", "encoder@short=gru", False),
        ("loss=cross_entropy", "loss.negatives=4", True),
        ("long.interests=1", "long.layers=2", False),
        ("long.interests=1", "encoder@long=multi_interest", False),
        ("auxiliary=[]", "auxiliary.contrast.weight=2", True),
        ("overlap=false", "overlap=true", True),
        ("fusion=sum", "model=slirec", False),
    ],
)
def test_which_words_no_longer_hold(change: str, word: str, gone: bool) -> None:
    assert touches(change, word) is gone


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["slirek"], r"neither a word .* nor a model.*Did you mean 'slirec'"),
        (["model=slirec", "seed=3"], "seed=3: .*--seeds"),
        (["baseline=ease"], "baseline=ease"),
    ],
)
def test_a_wrong_word(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        model_words(words)


def test_the_name_of_a_model_is_enough() -> None:
    assert model_words(["slirec", "data=ml-100k"]) == ["model=slirec", "data=ml-100k"]


@pytest.mark.usefixtures("in_this_process")
def test_from_words_to_a_table(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command, its file, and the study that it tells to run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))

    def call(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(words))
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out + text.err

    words = [*TINY, "encoder@long=mean", "encoder@short=mean", "fusion=sum", "window.k=2"]
    code, said = call("ablate", *words, "--seeds", "1", "--to", "mine.yaml")
    assert code == 0 and "research study mine.yaml --plan" in said, said
    first = Path("mine.yaml").read_bytes()
    code, said = call("ablate", *words, "--to", "mine.yaml")
    assert code == 2 and "--force" in said and Path("mine.yaml").read_bytes() == first
    code, said = call("ablate", *words, "--to", "mine.txt")
    assert code == 2 and "ends in .yaml" in said
    # Two of its arms only: what is tested is the way, not the training.
    study = yaml.safe_load(first)
    kept = {name: study["arms"][name] for name in (WHOLE, "without short branch")}
    study |= {"arms": kept, "claims": study["claims"][:1], "baselines": []}
    Path("mine.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    code, said = call("study", "mine.yaml", "--workers", "1", f"paths.runs={tmp_path / 'runs'}")
    assert code == 0, said
    assert "without short branch" in (tmp_path / "runs" / "mine" / "report.html").read_text()
