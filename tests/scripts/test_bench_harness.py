"""The bookkeeping of the benchmark: windows, medians, ratios, promises, what is done again and what is not.

No time is asserted anywhere: clocks are set by hand, processes are stand-ins.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from research.errors import UserError
from scripts.bench import __main__ as front
from scripts.bench import environments
from scripts.bench.datasets import Arrays, export
from scripts.bench.environments import PEERS, TORCH, python_of
from scripts.bench.flops import transformer_epoch
from scripts.bench.ours import Clock
from scripts.bench.peers import harness
from scripts.bench.plan import PEER_JOBS, Group, Job, Promise, everything, pair_of, promises, round_of
from scripts.bench.runner import Bench, Others, run
from scripts.bench.summary import Spread, check, spread
from scripts.bench.tables import (
    evaluation_table,
    machine_table,
    markdown,
    number,
    promise_table,
    span,
    startup_table,
    training_lengths,
    training_table,
)
from scripts.bench.turns import VARIABLE, Turn

OURS, PLAIN = Job("framework", "transformer", "beauty"), Job("reference", "transformer", "beauty")
PEER = Job("rectools", "transformer", "beauty")


def measured(job: Job, **result) -> dict:
    """As the runner stores it."""
    return {
        "job": {"side": job.side, "model": job.model, "data": job.data, "malloc": job.malloc},
        "round": 0,
        "inputs": "",
        "others": 0.02,
        "result": result,
    }


class FakeClock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("time.perf_counter", lambda: self.now)


class TestWindow:
    def test_counts_between_the_end_of_the_warm_up_and_its_own_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock, window = FakeClock(monkeypatch), harness.Window(warmup_s=10, window_s=20)
        closed = []
        for _ in range(12):  # steps of 4 s and 5 rows, the first one ends at 104
            clock.now += 4
            closed.append(window.step(5))
        # Warm at 116, 12 s behind the first end; closed at 136. Five steps lie between.
        assert closed == [False] * 8 + [True] * 4
        assert (window.seconds, window.rows, window.steps) == (20, 25, 5)
        assert window.rows_per_s == 1.25

    def test_a_window_that_did_not_close_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        FakeClock(monkeypatch)
        window = harness.Window(0, 60)
        window.step(5)
        with pytest.raises(RuntimeError, match="before the window closed"):
            _ = window.seconds

    def test_the_answer_is_extrapolated_to_an_epoch(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        clock, window = FakeClock(monkeypatch), harness.Window(0, 10)
        for _ in range(3):
            window.step(50)
            clock.now += 5
        window.step(50)
        assert window.rows_per_s == 10
        with (tmp_path / "answer").open("wb") as file:
            harness.write(file.fileno(), window, 600, 300, 7.0, ["lightning"], seen="filtered")
        answer = json.loads((tmp_path / "answer").read_text())
        assert answer["epoch_s"] == [60.0] and answer["histories_per_s"] == 5.0 and not answer["whole_epoch"]
        assert answer["window_share"] == pytest.approx(100 / 600) and answer["seen"] == "filtered"
        assert set(answer["versions"]) == {"torch", "numpy", "lightning"}


def test_a_peer_is_given_all_but_the_held_out_items() -> None:
    data = harness.Data(np.array([0, 4, 6]), np.array([5, 6, 7, 8, 1, 2]), 8)
    user, item, place = data.rows(2)
    # The second user has too few items to hold one out: it is trained on and never asked.
    assert (user.tolist(), item.tolist(), place.tolist()) == ([0, 0, 1, 1], [5, 6, 1, 2], [0, 1, 0, 1])
    assert data.rows(0)[1].tolist() == [5, 6, 7, 8, 1, 2]


class TestClock:
    def test_an_epoch_lasts_from_end_to_end_without_its_validation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from research.training.callbacks import Progress

        monkeypatch.delenv(VARIABLE, raising=False)
        clock, listener = FakeClock(monkeypatch), Clock(max_epochs=3, turn=Turn())
        for now, done, epoch in [(101, 1, 1), (110, 5, 1), (115, 5, 1), (118, 7, 2), (130, 10, 2), (137, 10, 2)]:
            clock.now = now
            listener(Progress(done=done, total=15, epoch=epoch, value=None, best=None))
        # Both epochs are told twice, before and behind their validation; the later time is their end.
        assert listener.seconds([4.0, 6.0, 9.0]) == [137 - 115 - 6.0]

    def test_what_others_do_in_their_turns_is_no_part_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from research.training.callbacks import Progress

        clock = FakeClock(monkeypatch)

        class Slow(Turn):
            def _wait(self) -> None:
                clock.now += 50
                self._waited += 50

        listener = Clock(max_epochs=3, turn=Slow())
        for now, done, epoch in [(101, 1, 1), (115, 5, 1), (118, 8, 2), (137, 10, 2)]:
            clock.now = now + listener.turn._waited
            listener(Progress(done=done, total=15, epoch=epoch, value=None, best=None))
        assert listener.seconds([4.0, 6.0]) == [137 - 115 - 6.0] and listener.turn._waited == 5 * 50


class TestSummary:
    def test_spread(self) -> None:
        assert Spread.of([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0, 4)
        assert Spread.of([]) is None

    def test_values_are_those_of_the_job_alone_and_lists_count_with_each_value(self) -> None:
        malloc = Job("rectools", "transformer", "beauty", malloc=True)
        some = [measured(OURS, epoch_s=[4.0, 6.0]), measured(OURS, epoch_s=[5.0]), measured(PEER, epoch_s=[90.0])]
        some += [measured(malloc, epoch_s=[50.0]), measured(OURS, peak_rss_bytes=7)]
        assert spread(some, OURS, "epoch_s") == Spread(5.0, 4.0, 6.0, 3)
        assert spread(some, OURS, "peak_rss_bytes") == Spread(7, 7, 7, 1)
        assert spread(some, PEER, "epoch_s") == Spread(90.0, 90.0, 90.0, 1)
        assert spread(some, PLAIN, "epoch_s") is None

    @pytest.mark.parametrize(
        ("ours", "bound", "at_most", "word"),
        [(4.4, 1.1, True, "kept"), (4.5, 1.1, True, "missed"), (4.4, 1.2, False, "missed"), (4.8, 1.2, False, "kept")],
    )
    def test_a_promise_is_a_ratio_of_medians(self, ours: float, bound: float, at_most: bool, word: str) -> None:
        promise = Promise("", OURS, PLAIN, "epoch_s", bound, at_most)
        some = [measured(OURS, epoch_s=[ours]), *(measured(PLAIN, epoch_s=[s]) for s in (1.0, 4.0, 99.0))]
        kept = check(some, promise)
        assert kept.ratio == pytest.approx(ours / 4.0) and kept.word == word

    def test_without_one_side_nothing_is_claimed(self) -> None:
        kept = check([measured(OURS, epoch_s=[1.0])], Promise("", OURS, PLAIN, "epoch_s", 1.1, True))
        assert kept.ratio is None and kept.word == "not measured"


class TestPlan:
    def test_what_a_close_ratio_compares_works_in_turn_and_changes_places(self) -> None:
        first, second = round_of(0, "beauty"), round_of(1, "beauty")
        close = [promise for promise in promises() if promise.metric == "epoch_s" and promise.at_most]
        for groups in (first, second):
            for promise in (promise for promise in close if promise.over.data == "beauty"):
                assert any({promise.over, promise.under} <= set(group) for group in groups)
        assert (first[0][0], second[0][0]) == (PLAIN, OURS)

    def test_everything_is_measured_that_a_promise_needs(self) -> None:
        jobs = {job for group, _ in everything(3, 1, tuple(PEERS)) for job in group}
        assert all({promise.over, promise.under} <= jobs for promise in promises())
        assert {job.side for job in PEER_JOBS} == set(PEERS)

    def test_rounds_and_peers_are_as_asked(self) -> None:
        groups = everything(3, 1, ("recbole",))
        assert all(len(group) == 1 for group, _ in groups if group[0].side not in ("framework", "reference"))
        order = [(job, number) for group, number in groups for job in group]
        assert [n for job, n in order if job == OURS] == [0, 1, 2]
        assert {job.side for job, _ in order} == {"peaks", "startup", "framework", "reference", "recbole"}
        assert all(n == 0 for job, n in order if job.side == "recbole")
        assert len(set(order)) == len(order)


@pytest.fixture
def arrays(tmp_path: Path) -> Arrays:
    path = tmp_path / "data.npz"
    np.savez(path, offsets=[0, 4, 9], items=np.arange(1, 10), n_items=9)
    return Arrays(path, "digest", np.array([0, 4, 9]), 9)


class StandIn(Bench):
    """A bench whose processes count how often they ran and answer with what a file says."""

    def command(self, job: Job) -> list[str]:
        count, script = self.store.parent / f"{job.name}.count", self.store.parent / "script.py"
        return [sys.executable, str(script), str(count)]


@pytest.fixture
def bench(tmp_path: Path, arrays: Arrays) -> StandIn:
    return StandIn(tmp_path / "store", {"beauty": arrays, "ml-1m": arrays}, {"rectools": Path("python")}, threads=1)


def says(bench: Bench, text: str) -> None:
    """What the stand-ins do behind counting."""
    count = (
        "import sys, pathlib\np = pathlib.Path(sys.argv[1])\np.write_text((p.read_text() if p.exists() else '')+'x')\n"
    )
    (bench.store.parent / "script.py").write_text(count + text)


def ran(bench: Bench, job: Job) -> int:
    path = bench.store.parent / f"{job.name}.count"
    return len(path.read_text()) if path.exists() else 0


class TestRunner:
    def test_what_is_finished_is_not_repeated(self, bench: StandIn) -> None:
        says(bench, "print('noise'); print('{\"epoch_s\": [2.0]}')")
        order: list[tuple[Group, int]] = [((OURS,), 0), ((PLAIN,), 0), ((OURS,), 1)]
        told: list[str] = []
        first, failed = run(bench, order, told.append)
        assert not failed and (ran(bench, OURS), ran(bench, PLAIN)) == (2, 1) and len(told) == 3
        again, _ = run(bench, order, told.append)
        assert again == first and (ran(bench, OURS), ran(bench, PLAIN)) == (2, 1) and len(told) == 3
        assert spread(again, OURS, "epoch_s") == Spread(2.0, 2.0, 2.0, 2)
        bench.path(OURS, 1).unlink()
        run(bench, order, told.append)
        assert (ran(bench, OURS), ran(bench, PLAIN)) == (3, 1), "only what is missing"

    def test_a_damaged_file_is_measured_again(self, bench: StandIn) -> None:
        says(bench, "print('{\"epoch_s\": [2.0]}')")
        run(bench, [((OURS,), 0)], lambda line: None)
        bench.path(OURS, 0).write_text('{"half')
        run(bench, [((OURS,), 0)], lambda line: None)
        assert ran(bench, OURS) == 2

    def test_other_inputs_are_another_measurement(self, bench: StandIn, arrays: Arrays) -> None:
        ours, peer = bench.inputs(OURS), bench.inputs(PEER)
        more = StandIn(bench.store, bench.arrays, bench.pythons, threads=2)
        longer = StandIn(bench.store, bench.arrays, bench.pythons, threads=1, window_s=90)
        other = {"beauty": Arrays(arrays.path, "other", arrays.offsets, 9)}
        moved = StandIn(bench.store, other, bench.pythons, threads=1)
        assert ours not in (more.inputs(OURS), moved.inputs(OURS)) and longer.inputs(OURS) == ours
        assert peer not in (more.inputs(PEER), moved.inputs(PEER), longer.inputs(PEER))
        assert ours == bench.inputs(PLAIN), "a change of one side measures both anew"

    def test_a_failure_is_told_and_tried_again_and_stops_nothing(self, bench: StandIn) -> None:
        says(bench, "sys.exit('no memory' if 'reference' in sys.argv[1] else print('{\"epoch_s\": [2.0]}'))")
        told: list[str] = []
        measurements, failed = run(bench, [((PLAIN,), 0), ((OURS,), 0)], told.append)
        assert len(measurements) == 1 and list(failed) == [PLAIN.name]
        assert "code 1: no memory" in failed[PLAIN.name] and failed[PLAIN.name] in told
        assert not bench.path(PLAIN, 0).exists()
        run(bench, [((PLAIN,), 0), ((OURS,), 0)], told.append)
        assert (ran(bench, PLAIN), ran(bench, OURS)) == (2, 1)

    def test_of_a_group_all_are_measured_again_or_none(self, bench: StandIn) -> None:
        says(bench, "print('{\"epoch_s\": [2.0]}')")
        order: list[tuple[Group, int]] = [((OURS, PLAIN), 0)]
        told: list[str] = []
        for _ in range(2):
            measurements, _ = run(bench, order, told.append)
            assert [Job(**m["job"]) for m in measurements] == [OURS, PLAIN] and len(told) == 1
        bench.path(PLAIN, 0).unlink()
        run(bench, order, told.append)
        assert (ran(bench, OURS), ran(bench, PLAIN)) == (2, 2), "side by side"

    def test_one_that_fails_in_a_group_leaves_the_others(self, bench: StandIn) -> None:
        says(bench, "sys.exit('no memory' if 'reference' in sys.argv[1] else print('{\"epoch_s\": [2.0]}'))")
        measurements, failed = run(bench, [((PLAIN, OURS), 0)], lambda line: None)
        assert [Job(**m["job"]) for m in measurements] == [OURS] and list(failed) == [PLAIN.name]

    @pytest.mark.parametrize("text", ["", "print('done')"])
    def test_a_process_without_a_result_has_failed(self, bench: StandIn, text: str) -> None:
        says(bench, text)
        _, failed = run(bench, [((OURS,), 0)], lambda line: None)
        assert list(failed) == [OURS.name]

    def test_commands_and_variables(self, arrays: Arrays, tmp_path: Path) -> None:
        environ = {"PYTHONPATH": "/ours", "HOME": "/home", "MALLOC_MMAP_MAX_": "5"}
        bench = Bench(tmp_path, {"ml-1m": arrays}, {"replay-rec": Path("/venv/python")}, 2, 3.0, 7.0, environ=environ)
        peer = Job("replay-rec", "transformer", "ml-1m")
        words = bench.command(peer)
        assert words[0] == "/venv/python" and Path(words[1]).is_file() and words[2] == str(arrays.path)
        tail = ["--model", "transformer", "--max-length", "200", "--warmup", "3.0", "--window", "7.0"]
        assert words[3:] == tail
        assert bench.environment(peer) == {"HOME": "/home", "OMP_NUM_THREADS": "2"}, "as installed"
        told = bench.environment(Job("replay-rec", "transformer", "ml-1m", malloc=True))
        assert told["MALLOC_MMAP_MAX_"] == "0" and int(told["MALLOC_TRIM_THRESHOLD_"]) > 2**32
        ours = bench.command(Job("framework", "fusion", "ml-1m"))
        assert ours[:4] == [sys.executable, "-m", "scripts.bench.ours", "ml-1m-sasrec"] and "fusion" in ours


class TestOthers:
    def test_our_own_work_is_not_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Passed, used, ours: 100 s of two processors, 70 s used, 60 s of them by our child.
        readings = iter([(1000.0, 400.0, 7.0), (1100.0, 470.0, 67.0)])
        monkeypatch.setattr(Others, "_now", staticmethod(lambda: next(readings)))
        assert Others().share() == pytest.approx(0.1)

    def test_a_system_that_does_not_tell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Others, "_now", staticmethod(lambda: None))
        assert Others().share() is None


ANSWER = {"epoch_s": [2.0], "eval_users_per_s": 5.0, "peak_rss_bytes": 7, "fp32_gflops": 1.0, "bf16_gflops": 2.0}


class TestQuick:
    def test_one_round_at_least_and_nothing_of_an_earlier_run(
        self, bench: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(front, "QUICK_S", 0.0)
        says(bench, f"print('{json.dumps(ANSWER)}')")
        for times in (1, 2):
            tables = front.quick(bench)
            for data in ("beauty", "ml-1m"):
                jobs = pair_of(0, "transformer", data)
                assert [ran(bench, job) for job in jobs] == [times] * 2 and len(jobs) == 2
        (promised,) = (table for table in tables if table.title == "Promises")
        assert [row[2] for row in promised.rows] == ["1.00"] * 2, "plain PyTorch's, on both"

    def test_rounds_as_long_as_there_is_time(self, bench: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = FakeClock(monkeypatch)
        measure = Bench.measure

        def takes_ten_seconds(self: Bench, group: Group, number: int) -> tuple:
            clock.now += 10 * len(group)
            return measure(self, group, number)

        monkeypatch.setattr(Bench, "measure", takes_ten_seconds)
        monkeypatch.setattr(front, "QUICK_S", 75.0)
        says(bench, f"print('{json.dumps(ANSWER)}')")
        front.quick(bench)
        # 10 s of peaks, then 20 s for each dataset: 50 s; a second round of the first ends at 70, no more fits.
        assert [ran(bench, Job("framework", "transformer", data)) for data in ("beauty", "ml-1m")] == [2, 1]


class TestEnvironments:
    class Pip:
        """Stands in for the processes that build."""

        def __init__(self) -> None:
            self.commands: list[list[str]] = []
            self.fails = False

        def __call__(self, command: list[str], **_) -> subprocess.CompletedProcess:
            self.commands.append(command)
            if self.fails and "install" in command:
                return subprocess.CompletedProcess(command, 1, "", "a\nERROR: no such version")
            if "venv" in command:
                Path(command[-1]).mkdir(parents=True)
            out = b"torch==2.13.0\n" if "freeze" in command else ""
            return subprocess.CompletedProcess(command, 0, out, "")

    @pytest.fixture
    def pip(self, monkeypatch: pytest.MonkeyPatch) -> Pip:
        pip = self.Pip()
        monkeypatch.setattr(environments.subprocess, "run", pip)
        return pip

    @pytest.mark.parametrize("name", PEERS)
    def test_torch_comes_first_and_stays_pinned(self, pip: Pip, tmp_path: Path, name: str) -> None:
        python = python_of(PEERS[name], tmp_path, lambda line: None)
        installs = [c[c.index("install") + 2 :] for c in pip.commands if "install" in c]
        assert set(installs[0]) == {TORCH} and set(installs[1]) == {TORCH, *PEERS[name].requirements}
        assert tmp_path in python.parents and sys.prefix not in str(python), "never ours"
        before = len(pip.commands)
        assert python_of(PEERS[name], tmp_path, lambda line: None) == python and len(pip.commands) == before

    def test_an_interrupted_build_begins_anew(self, pip: Pip, tmp_path: Path) -> None:
        pip.fails = True
        with pytest.raises(UserError, match=r"(?s)recbole cannot be built.*no such version.*--peers"):
            python_of(PEERS["recbole"], tmp_path, lambda line: None)
        (left,) = (tmp_path / "envs").iterdir()
        (left / "half").touch()
        pip.fails = False
        python_of(PEERS["recbole"], tmp_path, lambda line: None)
        assert not (left / "half").exists() and (left / "ready.txt").read_text() == "torch==2.13.0\n"


class TestData:
    def test_the_file_holds_what_the_framework_trains_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from research.config import compose
        from research.data.load import load

        monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
        words = ("data.n_users=20", "data.n_items=40", "data.mean_length=9")
        arrays = export("simulated", tmp_path / "bench", lambda line: None, words)
        histories, _ = load(compose(["data=simulated", *words]))
        read = harness.read(arrays.path)
        np.testing.assert_array_equal(read.offsets, histories.offsets)
        np.testing.assert_array_equal(read.items, histories.items)
        assert read.n_items == arrays.n_items == histories.n_items and arrays.digest == histories.digest

    def test_missing_data_says_what_to_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("RESEARCH_MIRROR", str(tmp_path / "empty"))
        monkeypatch.setattr("research.data.fetch.download", _no_network)
        with pytest.raises(UserError, match=r"(?s)benchmark needs beauty-s3.*RESEARCH_MIRROR"):
            export("beauty-s3", tmp_path / "bench", lambda line: None)


def _no_network(*_, **__):
    from research.data.raw import UnavailableError

    raise UnavailableError("no network")


class TestFlops:
    def test_by_a_naive_loop(self) -> None:
        width, inner, blocks, n_items, max_length = 4, 6, 2, 10, 3
        expected = 0
        for items in (1, 2, 3, 9):
            tokens = min(items - 1, max_length)
            for t in range(tokens):
                layer = 2 * width * (4 * width) + 2 * 2 * width * inner  # q, k, v, out; in and out of the inner layer
                layer += 2 * 2 * width * (t + 1)  # scores and their mix, of what is not in the future
                expected += 3 * (blocks * layer + 2 * width * n_items)
        got = transformer_epoch(
            np.array([1, 2, 3, 9]), n_items, max_length=max_length, width=width, inner=inner, blocks=blocks
        )
        assert got == expected


@pytest.mark.shared
def test_real_data_has_the_work_that_was_counted_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Path(__file__).parents[3] / "shared" / "data"
    if not (shared / "s3rec").is_dir():
        pytest.skip(f"no {shared / 's3rec'}")
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RESEARCH_MIRROR", str(shared))
    arrays = export("beauty-s3", tmp_path / "bench", lambda line: None)
    assert (len(arrays.offsets) - 1, arrays.n_items) == (22_363, 12_101)
    # Counted apart from this code: 634 GFLOP, 94 % of them the logits; 128,031 targets.
    flops = transformer_epoch(training_lengths(arrays), arrays.n_items, max_length=50)
    assert flops == pytest.approx(634e9, rel=1e-3)
    assert 3 * 2 * 128_031 * 64 * 12_101 / flops == pytest.approx(0.94, abs=0.005)


class TestTables:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0"),
            (0.01234, "0.0123"),
            (1.104, "1.10"),
            (12.34, "12.3"),
            (187.4, "187"),
            (5145.0, "5,140"),
            (1e6, "1,000,000"),
        ],
    )
    def test_three_digits(self, value: float, text: str) -> None:
        assert number(value) == text

    def test_span(self) -> None:
        assert span(None) == "–"
        assert span(Spread.of([4.0])) == "4.00"
        assert span(Spread.of([5.0, 4.0, 6.0]), 0.1) == "0.500 (0.400 – 0.600)"

    @pytest.fixture
    def measurements(self) -> list[dict]:
        versions = {"torch": "2.13.0"}
        peer = {"whole_epoch": False, "window_s": 60.2, "seen": "not filtered", "versions": {"rectools": "0.19.0"}}
        return [
            measured(Job("peaks"), fp32_gflops=100.0, bf16_gflops=400.0),
            measured(PLAIN, epoch_s=[2.0], eval_users_per_s=9.0, peak_rss_bytes=5e8, whole_epoch=True),
            measured(OURS, epoch_s=[2.1, 2.3], eval_users_per_s=8.0, peak_rss_bytes=6e8, versions=versions),
            measured(PEER, epoch_s=[88.0], eval_users_per_s=2.0, peak_rss_bytes=2e9, **peer),
            measured(Job("startup"), help_s=0.4, import_s=2.5, first_step_s=4.0),
        ]

    def test_training(self, measurements: list[dict], arrays: Arrays) -> None:
        table = training_table(measurements, "beauty", arrays)
        rows = {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}
        assert list(rows) == ["reference transformer", "framework transformer", "rectools transformer"]
        ours, plain, peer = (rows[f"{side} transformer"] for side in ("framework", "reference", "rectools"))
        assert (ours["epoch s"], ours["timed"], ours["x ours"]) == ("2.20 (2.10 – 2.30)", "2 epochs", "1.00")
        assert (peer["epoch s"], peer["timed"], peer["x ours"]) == ("88.0", "1 × 60 s", "40.0")
        # Two users with 2 and 3 items to train on: both teach something, in 2 s.
        assert (plain["histories/s"], plain["timed"]) == ("1.00", "1 epoch")
        flops = transformer_epoch(np.array([2, 3]), 9, max_length=50)
        assert plain["of fp32"] == f"{flops / 2 / 1e9 / 100:.2%}"
        assert plain["of bf16"] == f"{flops / 2 / 1e9 / 400:.2%}"

    def test_evaluation(self, measurements: list[dict]) -> None:
        assert evaluation_table(measurements, "beauty").rows == [
            ["reference transformer", "9.00", "filtered", "500"],
            ["framework transformer", "8.00", "filtered", "600"],
            ["rectools transformer", "2.00", "not filtered", "2,000"],
        ]
        assert evaluation_table(measurements, "ml-1m").rows == []

    def test_promises_and_start_up(self, measurements: list[dict]) -> None:
        held = [Promise("epoch", OURS, PLAIN, "epoch_s", 1.05, True), Promise("peer", PEER, OURS, "epoch_s", 30, False)]
        assert promise_table(measurements, held).rows == [
            ["epoch", "Beauty", "1.10", "at most 1.05", "missed"],
            ["peer", "Beauty", "40.0", "at least 30", "kept"],
        ]
        assert [row[-1] for row in startup_table(measurements).rows] == ["kept", "missed", "kept"]

    def test_the_page_names_machine_versions_and_failures(self, measurements: list[dict], arrays: Arrays) -> None:
        machine = machine_table(measurements, {"cores": 2}, {"recbole-gru-ml-1m": "killed | out of memory"})
        page = markdown([training_table(measurements, "beauty", arrays), machine], "Speed", "Lead.")
        for text in ("# Speed", "Lead.", "| cores | 2 |", "fp32 100, bf16 400", "torch 2.13.0", "rectools 0.19.0"):
            assert text in page
        assert "2.0% – 2.0% of the processors |" in page, "a quiet machine"
        assert "| failed: recbole-gru-ml-1m | killed / out of memory |" in page
        tables = [line for line in page.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in tables} == {9, 3}, "every row has a cell for every heading"
