"""Configurations: each composes, its defaults are the code's, mistakes name the alternatives, identity is right."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf, open_dict

from research.config import DIALS, canonical, compose, config_directory, identity, options
from research.encoders.base import Encoder
from research.encoders.gru import GRU
from research.errors import UserError
from research.fusion.base import Fusion
from research.schema import build, check, settings_of, target_class
from research.sizes import Sizes
from research.training.compatible import check_compatible
from research.windows.base import Window
from research.windows.last_k import LastK

CONFIGS = config_directory()
GROUPS = sorted(p.name for p in CONFIGS.iterdir() if p.is_dir())
OPTIONS = [(group, path.stem) for group in GROUPS for path in sorted((CONFIGS / group).glob("*.yaml"))]
WHOLE = ("study", "tune", "sweep", "size", "model", "paper", "executor")
"""Groups whose files are not one node of a run."""
TARGETED = [(g, o) for g, o in OPTIONS if "_target_" in (CONFIGS / g / f"{o}.yaml").read_text()]


def keys_of(group: str) -> list[str]:
    """Where a group stands in a run: an encoder has two places."""
    return ["encoder@long", "encoder@short"] if group == "encoder" else [group]


def raw(group: str, option: str) -> dict[str, Any]:
    return OmegaConf.to_container(OmegaConf.load(CONFIGS / group / f"{option}.yaml"))  # type: ignore[return-value]


def message(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        compose(list(overrides))
    return str(caught.value)


class TestShipped:
    def test_every_group_of_the_root_has_a_directory_and_every_directory_is_used(self) -> None:
        root = OmegaConf.to_container(OmegaConf.load(CONFIGS / "train.yaml"))
        used = {key.partition("@")[0] for entry in root["defaults"] if entry != "_self_" for key in entry}  # type: ignore[index, call-overload]
        assert used <= set(GROUPS)
        assert set(GROUPS) - used <= {"study", "tune", "sweep", "paper", "executor"}, "these are files of their own"

    @pytest.mark.parametrize(("group", "option"), [o for o in OPTIONS if o[0] not in WHOLE])
    def test_composes(self, group: str, option: str) -> None:
        config = compose([f"{key}={option}" for key in keys_of(group)])
        assert not OmegaConf.missing_keys(config)
        assert len(identity(config)) == 64
        for key in keys_of(group):
            node = config[key.rpartition("@")[2]]
            if group in ("auxiliary", "augmentation"):  # several may stand side by side, by name
                node = node[option]
            assert target_class(node._target_).__module__.startswith("research.")
            with pytest.raises(Exception, match="read-only"):
                node._target_ = "x"

    @pytest.mark.parametrize(("group", "option"), TARGETED)
    def test_its_defaults_are_those_of_the_code(self, group: str, option: str) -> None:
        written = raw(group, option)
        known = settings_of(target_class(written.pop("_target_")))
        assert set(written) == set(known), "a file states every setting of its class, and no other"
        for name, value in written.items():
            if known[name].default is inspect.Parameter.empty:
                continue  # a setting without a default tells several files of one class apart
            if value in [f"${{{dial}}}" for dial in DIALS]:
                value = compose([])[value[2:-1]]
            default = known[name].default
            if callable(getattr(default, "default_factory", None)) or "factory" in type(default).__name__.lower():
                default = type(value)()  # a dataclass shows a list's default as a factory of empty ones
            assert (value, type(value)) == (default, type(default)), f"{name}: {value!r} and {default!r}"

    @pytest.mark.parametrize("option", [o for g, o in OPTIONS if g == "size"])
    def test_a_size_sets_every_arm(self, option: str) -> None:
        words = [f"size={option}", "encoder@long=transformer", "encoder@short=gru"]
        config, said = compose(words), raw("size", option)
        assert [config.width, config.long.blocks, config.long.heads] == [said[k] for k in ("width", "blocks", "heads")]
        assert config.short.layers == said["layers"]
        assert compose([*words, "width=8"]).width == 8, "a word of the user wins"

    def test_a_size_is_kept_beside_a_model_that_names_its_parts(self) -> None:
        assert compose(["model=sasrec", "size=large"]).long.blocks == raw("size", "large")["blocks"]

    def test_what_is_told_apart_by_a_setting_is_told_apart(self) -> None:
        stated = [tuple(raw(*o).items()) for o in TARGETED]
        assert len(set(map(str, stated))) == len(stated), "two files say the same"

    @pytest.mark.parametrize("option", [o for g, o in OPTIONS if g == "trainer" and o != "default"])
    def test_a_file_of_differences_differs(self, option: str) -> None:
        own = {k: v for k, v in raw("trainer", option).items() if k != "defaults"}
        default = raw("trainer", "default")
        assert own and all(default[key] != value for key, value in own.items())

    @pytest.mark.parametrize(("group", "option"), OPTIONS)
    def test_the_first_line_says_what_it_is(self, group: str, option: str) -> None:
        said = [x for x in (CONFIGS / group / f"{option}.yaml").read_text().splitlines() if not x.startswith("# @")]
        assert said[0].startswith("# ")

    def test_every_encoder_has_a_file(self, encoder_class: type) -> None:
        """A new encoder without a configuration could not be chosen."""
        assert_named("encoder", encoder_class)

    def test_every_fusion_has_a_file(self, fusion_class: type) -> None:
        assert_named("fusion", fusion_class)

    def test_every_window_has_a_file(self, window_class: type) -> None:
        assert_named("window", window_class)

    def test_every_loss_has_a_file(self, loss_class: type) -> None:
        assert_named("loss", loss_class)

    def test_every_auxiliary_term_has_a_file(self, auxiliary_class: type) -> None:
        assert_named("auxiliary", auxiliary_class)


def assert_named(group: str, cls: type) -> None:
    target = f"{cls.__module__}.{cls.__qualname__}"
    assert target in {raw(group, option)["_target_"] for option in options(group)}, f"no file in configs/{group}"


class TestMistakes:
    """The message names the alternatives."""

    @pytest.mark.parametrize(
        ("override", "words"),
        [
            (
                "fusion=gatd",
                ["no fusion called 'gatd'", "attention", "concat", "gated", "long_only", "Did you mean 'gated'?"],
            ),
            (
                "encoder@long=transfomer",
                ["no encoder called 'transfomer'", "bert4rec", "gru", "lstm", "'transformer'?"],
            ),
            ("window=lask_k", ["no window called 'lask_k'", "days", "last_k", "session", "Did you mean 'last_k'?"]),
            ("data=ml-200k", ["no data called 'ml-200k'", "ml-100k", "simulated", "Did you mean 'ml-100k'?"]),
            ("baseline=popular", ["no baseline called 'popular'", "ease", "recent_popularity", "'popularity'?"]),
        ],
    )
    def test_an_option(self, override: str, words: list[str]) -> None:
        text = message(override)
        assert all(word in text for word in words), text

    @pytest.mark.parametrize(
        ("override", "words"),
        [
            ("fusoin=gated", ["'fusoin'", "fusion", "window", "Did you mean 'fusion'?"]),
            ("widht=8", ["'widht'", "width", "max_length", "Did you mean 'width'?"]),
            ("window.kk=5", ["'window.kk'", "window.k", "Did you mean 'window.k'?"]),
            ("trainer.max_epoch=5", ["'trainer.max_epoch'", "trainer.patience", "Did you mean 'trainer.max_epochs'?"]),
            ("+window.kk=5", ["'window.kk'", "window.k", "Did you mean"]),
            ("+fusion.size=5", ["'fusion.size'", "fusion.elementwise"]),
            ("+long.head=2", ["'long.head'", "long.blocks", "long.heads"]),
            ("encoder=gru", ["'encoder'", "encoder@long=...", "encoder@short=..."]),
        ],
    )
    def test_a_key(self, override: str, words: list[str]) -> None:
        text = message(override)
        assert all(word in text for word in words), text

    def test_a_key_of_something_without_settings(self) -> None:
        text = message("fusion=sum", "+fusion.weight=0.5")
        assert "'fusion.weight'" in text and "no settings" in text

    @pytest.mark.parametrize(
        ("overrides", "words"),
        [
            (["window.k=five"], ["window.k=five", "a whole number"]),
            (["window.k=2.5"], ["window.k=2.5", "a whole number"]),
            (["window.k=true"], ["window.k=True", "a whole number"]),
            (["window.k=null"], ["window.k=None", "a whole number"]),
            (["window=days", "window.days=week"], ["window.days=week", "a number"]),
            (["fusion.elementwise=2"], ["fusion.elementwise=2", "true or false"]),
            (
                ["fusion=attention", "fusion.query=shrt"],
                ["fusion.query=shrt", "one of learned, short", "Did you mean 'short'?"],
            ),
            (["fusion=weighted", "fusion.weight=scaler"], ["fixed, scalar, elementwise", "Did you mean 'scalar'?"]),
            (["long.inner=wide"], ["long.inner=wide", "a whole number or null"]),
            (["long.inner=[1,2]"], ["long.inner=[1, 2]", "a whole number or null"]),
            (["optimizer.clip=none"], ["optimizer.clip=none", "a number or null"]),
            (["dropout=high"], ["dropout=high", "a number"]),
            (["data=files", "data.columns=user"], ["data.columns=user", "a list of a word"]),
            (["data=files", "data.columns=[1,2]"], ["data.columns=[1, 2]", "a list of a word"]),
            (["trainer.deterministic=maybe"], ["trainer.deterministic=maybe", "true or false or one of warn"]),
            (["data=beauty-s3", "data.category=books"], ["data.category=books", "beauty, sports, toys, yelp"]),
            (["loss.kernel=fast"], ["loss.kernel=fast", "auto, portable, fused"]),
        ],
    )
    def test_a_value(self, overrides: list[str], words: list[str]) -> None:
        text = message(*overrides)
        assert all(word in text for word in words), text

    @pytest.mark.parametrize(
        "overrides",
        [
            ["optimizer.lr=1"],
            ["long.inner=32"],
            ["long.inner=null"],
            ["optimizer.clip=1"],
            ["trainer.deterministic=true"],
        ],
    )
    def test_a_value_that_fits_passes(self, overrides: list[str]) -> None:
        compose(overrides)

    def test_a_word_that_is_no_override(self) -> None:
        assert "gated" in message("gated")

    def test_the_message_is_one_line(self) -> None:
        for override in ("fusion=gatd", "window.kk=5", "window.k=five", "gated", "window.k=["):
            assert "\n" not in message(override)


def own(model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a model's file chooses, by group, and the values that it sets, by node."""
    content = raw("model", model)
    entries = content.pop("defaults")
    return {key.removeprefix("override /"): option for entry in entries for key, option in entry.items()}, content


MODELS = options("model")


def turns(model: str) -> range:
    """Which options of each group a model is tried with; composing takes a tenth of a second."""
    first = 2 * MODELS.index(model)
    return range(first, first + (len(options("window")) if "window" in own(model)[1] else 2))


class TestModels:
    """A model's own values go with its own choice of parts: a part that the user chooses comes as it is."""

    def test_another_option_comes_without_the_models_values(self) -> None:
        assert own("attrec")[1] == {"window": {"k": 5}, "fusion": {"long_share": 0.2}}
        config = compose(["model=attrec", "window=session"])
        assert config.window == raw("window", "session")
        assert config.fusion == {**raw("fusion", "distance"), "long_share": 0.2}, "this one is the model's still"

    @pytest.mark.parametrize(
        ("words", "k"),
        [
            (["model=attrec"], 5),
            (["model=attrec", "window=last_k"], 5),
            (["model=attrec", "window.k=7"], 7),
            (["window.k=7", "window=last_k", "model=attrec"], 7),
            (["model=attrec", "window=session", "window=last_k"], 5),
            (["model=attrec", "window={k: 7}"], 7),
        ],
    )
    def test_the_models_own_option_keeps_them_and_a_word_wins(self, words: list[str], k: int) -> None:
        assert compose(words).window == {"_target_": "research.windows.last_k.LastK", "k": k}

    def test_a_word_for_the_new_option_wins_in_any_order(self) -> None:
        for words in (["window=session", "window.gap=5"], ["window.gap=5", "window=session"]):
            assert compose(["model=attrec", *words]).window.gap == 5
            assert compose([*words, "model=attrec"]).window.gap == 5

    def test_a_key_of_both_options_has_the_value_of_the_new_one(self) -> None:
        """256 negatives were said of the model's loss; they would fit the other without a word."""
        assert compose(["model=gsasrec"]).loss.negatives == own("gsasrec")[1]["loss"]["negatives"] == 256
        assert compose(["model=gsasrec", "loss=bce"]).loss == raw("loss", "bce")

    def test_a_key_of_the_models_option_is_unknown_to_another(self) -> None:
        text = message("model=attrec", "window=session", "window.k=7")
        assert "no key 'window.k'" in text and "window.gap" in text and "window.k," not in text

    @pytest.mark.parametrize(
        ("model", "node", "word"),
        [
            ("hstu", "scoring", "scoring=null"),
            ("transact", "recent_mask", "recent_mask=null"),
            ("hstu", "scoring", "~scoring"),
        ],
    )
    def test_a_part_that_is_taken_away_leaves_nothing(self, model: str, node: str, word: str) -> None:
        assert compose([f"model={model}"])[node]._target_
        assert compose([f"model={model}", word]).get(node) is None

    def test_no_model_is_a_model_too(self) -> None:
        assert compose(["model=null"]) == compose(["model=sasrec", "model=null"]) == compose([])

    def test_values_that_belong_to_no_part_stay(self) -> None:
        assert compose(["model=sdm", "window=days"]).overlap is False
        assert compose(["model=bert4rec", "encoder@long=transformer"]).long.heads == 2

    def test_dials_reach_the_new_part(self) -> None:
        assert compose(["model=comirec", "encoder@long=gru", "dropout=0.4", "layers=3"]).long == {
            **raw("encoder", "gru"),
            "layers": 3,
            "dropout": 0.4,
        }

    def test_a_users_own_model(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "mine.yaml").write_text(
            "# @package _global_\n# Mine.\ndefaults:\n  - override /window: days\nwindow: {days: 3.0}\n"
        )
        monkeypatch.setenv("RESEARCH_CONFIGS", str(tmp_path))
        assert compose(["model=mine"]).window.days == 3
        assert compose(["model=mine", "window=last_k", "window.k=2"]).window.k == 2

    @pytest.mark.parametrize(
        "model", [pytest.param(m, marks=() if m in ("caser", "slirec") else pytest.mark.slow) for m in MODELS]
    )
    def test_it_takes_other_parts(self, model: str) -> None:
        """Every window where it says something of its own, and parts that take turns from model to model.

        Together they may make no sense, which is said as a user's mistake.
        """
        chosen, values = own(model)
        for turn in turns(model):
            parts = {
                group: options(group.partition("@")[0])[(turn + shift) % len(options(group.partition("@")[0]))]
                for group, shift in {"window": 0, "fusion": 0, "encoder@long": 0, "encoder@short": 7}.items()
            }
            config = compose([f"model={model}", *(f"{group}={option}" for group, option in parts.items())])
            for group, option in parts.items():
                node = group.rpartition("@")[2]
                kept = values.get(node, {}) if chosen.get(group) == option else {}
                expected = {**raw(group.partition("@")[0], option), **kept}
                assert set(config[node]) == set(expected), (group, option)
                stated = {k: v for k, v in expected.items() if not str(v).startswith("${")}
                assert {k: config[node][k] for k in stated} == stated, (group, option)
            with suppress(UserError):
                check_compatible(config)

    @pytest.mark.parametrize("group", ["window", "fusion", "encoder"])
    def test_the_turns_above_meet_every_part(self, group: str) -> None:
        met = {turn % len(options(group)) for model in MODELS for turn in turns(model)}
        assert len(met) == len(options(group))


class TestNull:
    """``GROUP=null`` leaves a part out, as messages advise."""

    @pytest.mark.parametrize(
        "group", ["selection", "recent_mask", "scoring", "branch_dropout", "schedule", "averaging"]
    )
    def test_what_a_run_can_do_without(self, group: str) -> None:
        assert compose([f"{group}=null"]) == compose([])

    def test_the_last_word_counts(self) -> None:
        assert compose(["scoring=cosine", "scoring=null"]) == compose([])
        assert compose(["scoring=null", "scoring=cosine"]) == compose(["scoring=cosine"])

    def test_several_at_once(self) -> None:
        assert compose(["auxiliary=null"]) == compose(["auxiliary=[]"]) == compose([])
        assert compose(["model=clsr", "auxiliary=null"]).auxiliary == {}

    @pytest.mark.parametrize("group", ["fusion", "encoder@long", "loss", "data", "size"])
    def test_what_it_needs(self, group: str) -> None:
        assert f"{group}=null: a run needs one" in message(f"{group}=null")


class TestTargets:
    """A configuration from elsewhere cannot run code."""

    @pytest.mark.parametrize(
        "target",
        [
            "os.system",
            "subprocess.Popen",
            "builtins.eval",
            "torch.load",
            "researchers.evil.Class",
            "research",
            "research.schema.os.system",
            "research.schema.os",
            "research.schema.importlib.import_module",
            "research.config.Path",
            "research.config.OmegaConf",
            "research.config.compose",
            "research.schema.check",
            "research.data.wheel.subprocess.run",
            "research.data.wheel.subprocess.Popen",
            "research.encoders.gru.nn",
            "research.encoders.gru.Recurrent",  # of another module: each class has one name
            "research.nowhere.Class",
            "research.encoders.gru.Gru",
            "research.encoders.gru.",
            "research.",
            "research..os.system",
            "",
        ],
    )
    def test_what_is_not_a_class_of_ours_is_refused(self, target: str) -> None:
        with pytest.raises(UserError, match="_target_"):
            target_class(target)
        with pytest.raises(UserError, match="_target_"):
            check(OmegaConf.create({"fusion": {"_target_": target}}))
        with pytest.raises(UserError, match="_target_"):
            build(OmegaConf.create({"_target_": target}), object)

    def test_on_the_command_line_too(self) -> None:
        text = message("fusion._target_=os.system")
        assert "os.system lies outside" in text and "RESEARCH_TRUST" in text
        assert "research.schema.os.system does not exist" in message("window._target_=research.schema.os.system")

    def test_a_prefix_that_the_user_trusts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RESEARCH_TRUST", "fractions.,")
        assert target_class("fractions.Fraction").__name__ == "Fraction"
        with pytest.raises(UserError, match=r"research\., fractions\."):
            target_class("os.system")
        with pytest.raises(UserError, match="not a class of fractions"):
            target_class("fractions.Decimal")

    def test_another_kind_is_refused(self) -> None:
        node = OmegaConf.create({"_target_": "research.encoders.gru.GRU", "layers": 1, "dropout": 0.0})
        assert isinstance(build(node, Encoder, Sizes(8, 10)), GRU)
        with pytest.raises(UserError, match=r"research\.encoders\.gru\.GRU is not a Fusion"):
            build(node, Fusion, Sizes(8))

    def test_a_node_becomes_its_object(self) -> None:
        window = build(compose(["window.k=4"]).window, Window)
        assert isinstance(window, LastK) and window.k == 4


BASE = ["data=simulated", "seed=1"]
SOME = options("encoder")[::5]


@cache
def of(*overrides: str) -> str:
    return identity(compose([*BASE, *overrides]))


def leaves(node: DictConfig, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.items():
        found |= leaves(value, f"{prefix}{key}.") if isinstance(value, DictConfig) else {f"{prefix}{key}": value}
    return found


class TestIdentity:
    def test_it_repeats(self) -> None:
        assert of() == of() == of("seed=1", "fusion=gated")

    @pytest.mark.parametrize(
        "overrides",
        [
            ["paths.runs=/elsewhere"],
            ["paths.cache=/tmp"],
            ["paths.mirrors=[/a,/b]"],
            ["logger=wandb"],
            ["logger=wandb", "logger.mode=offline"],
        ],
    )
    def test_what_cannot_change_a_number_does_not_change_it(self, overrides: list[str]) -> None:
        assert of(*overrides) == of()

    def test_every_number_changes_it(self) -> None:
        base = compose([*BASE, "fusion=weighted"])
        numbers = {k: v for k, v in leaves(base).items() if isinstance(v, (int, float)) and not k.startswith("paths.")}
        assert {
            "seed",
            "width",
            "max_length",
            "batch_size",
            "window.k",
            "long.blocks",
            "optimizer.lr",
            "data.n_users",
        } <= set(numbers)
        seen = {identity(base)}
        for key, value in numbers.items():
            if key in DIALS:
                continue  # below
            changed = base.copy()
            OmegaConf.set_readonly(changed, False)
            OmegaConf.update(changed, key, not value if isinstance(value, bool) else value + 1)
            seen.add(identity(changed))
        assert len(seen) == 1 + len(numbers) - len(DIALS), "each number gives an identity of its own"

    @pytest.mark.parametrize(
        "override",
        [
            "fusion=concat",
            "encoder@long=gru",
            "encoder@short=lstm",
            "window=session",
            "objective=masked_item",
            "data=ml-100k",
            "trainer.precision=bf16-mixed",
            "loss.kernel=portable",
            "dropout=0.3",
            "baseline=popularity",
        ],
    )
    def test_every_choice_changes_it(self, override: str) -> None:
        assert of(override) != of()

    def test_a_dial_is_only_another_way_to_say_it(self) -> None:
        assert of("dropout=0.3") == of("long.dropout=0.3", "short.dropout=0.3")
        assert of("dropout=0.3") != of("long.dropout=0.3")

    def test_long_and_short_are_not_confused(self) -> None:
        assert of("encoder@long=gru", "encoder@short=transformer") != of(
            "encoder@long=transformer", "encoder@short=gru"
        )

    @pytest.mark.parametrize(
        ("fusion", "ignored", "read"),
        [
            (
                "long_only",
                [*(f"encoder@short={e}" for e in SOME), "window=days", "window.k=3", "short.layers=4"],
                "encoder@long=lstm",
            ),
            ("short_only", [*(f"encoder@long={e}" for e in SOME), "long.blocks=7"], "encoder@short=lstm"),
        ],
    )
    def test_a_branch_that_the_fusion_ignores_plays_no_part(self, fusion: str, ignored: list[str], read: str) -> None:
        assert {of(f"fusion={fusion}", override) for override in ignored} == {of(f"fusion={fusion}")}
        assert of(f"fusion={fusion}", read) != of(f"fusion={fusion}")

    def test_the_window_of_a_short_view_that_is_read_counts(self) -> None:
        assert of("fusion=short_only", "window.k=3") != of("fusion=short_only")

    def test_a_baseline_is_its_data_and_itself(self) -> None:
        base = of("baseline=ease")
        assert of("baseline=ease", "encoder@long=gru", "width=8", "trainer.max_epochs=3") == base
        assert of("baseline=ease", "baseline.l2=3") != base
        assert of("baseline=ease", "data.n_users=301") != base
        assert set(canonical(compose(["baseline=ease"]))) == {"data", "split", "baseline"}

    def test_the_order_of_keys_plays_no_part(self) -> None:
        config = compose(BASE)
        turned = OmegaConf.create({key: config[key] for key in reversed(list(config))})
        with open_dict(turned):
            turned.window = {"k": 10, "_target_": "research.windows.last_k.LastK"}
        assert identity(turned) == identity(config)
