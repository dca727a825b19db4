"""Executors: the same tables from each, one ending for each order whatever happens to it, and requeue."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import submitit
import yaml

from research import cli
from research.errors import UserError
from research.reports.comma import csv_table
from research.reports.markdown import markdown_table
from research.reports.rows import read_study, rows
from research.studies.executors import job as jobs
from research.studies.executors import ray as ray_tasks
from research.studies.executors import slurm
from research.studies.executors.base import Executor
from research.studies.executors.chosen import chosen_executor, split_words
from research.studies.executors.local import Local, side_by_side
from research.studies.executors.ray import Ray
from research.studies.executors.said import Listener, say
from research.studies.executors.slurm import Slurm
from research.studies.executors.surroundings import Surroundings
from research.studies.run_study import prepare_study, run_missing
from research.studies.study import read_study_file
from research.studies.worker import Message, Order
from research.training.callbacks import Progress
from tests.studies.tasks import Preempted, SlowMailbox, Task

SET = [
    "data=simulated",
    "data.n_users=40",
    "data.n_items=30",
    "data.mean_length=10",
    "width=8",
    "max_length=10",
    "batch_size=16",
    "encoder@long=transformer",  # a GRU saturates where this diverges
    "fusion=long_only",
    "trainer.max_epochs=1",
    "trainer.threads=1",
    "trainer.accelerator=cpu",
]
MADE: dict[str, Callable[[], Executor]] = {
    "local": lambda: Local(workers=1),
    "ray": lambda: Ray(cpus=os.cpu_count()),  # one run at a time: each further process imports for seconds
    "slurm": lambda: Slurm(engine="local", parallel=2),
}


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """A Ray on this machine for all tests. On a busy one its helpers may be too slow for it at first."""
    import ray

    for attempt in range(3):
        try:
            Ray()._connect()
            break
        except UserError:
            if attempt == 2:
                raise
    yield
    ray.shutdown()


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Callable[[str], Executor]:
    def make(name: str) -> Executor:
        if name == "ray":
            request.getfixturevalue("ray_here")
        return MADE[name]()

    return make


def study_file(path: Path, **changes: object) -> str:
    content = {
        "question": "Does it run?",
        "set": SET,
        "arms": {"usual": ["optimizer.lr=0.01"], "wild": ["optimizer.lr=1e30"]},
        "baselines": ["popularity"],
        "seeds": [1],
        "metrics": ["ndcg@10"],
        "baseline": {"arm": "usual"},
        **changes,
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


def timeless(directory: Path) -> tuple[str, str, dict[str, dict[str, Any]], dict[str, bytes]]:
    """All that a study left but clock readings and places: CSV, Markdown, records, ranks."""
    study = read_study(directory)
    for run in study.runs:
        if isinstance(tuning := run.record.get("tuning"), dict):
            tuning["seconds"] = 0.0
    made = [replace(row, seconds=None) for row in rows(study)]
    records = {}
    for path in sorted(directory.glob("*/seed-*/record.json")) + sorted(directory.glob("tuning/*.json")):
        record = json.loads(path.read_text())
        for key in ("started", "finished", "seconds", "environment", "peak_memory_bytes"):
            record.pop(key, None)
        record.get("config", {}).pop("paths", None)
        if record.get("tuning"):
            record["tuning"].pop("seconds")
        for trial in record.get("tried", []):
            trial.pop("seconds")
        records[str(path.relative_to(directory))] = record
    ranks = {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("ranks.parquet")}
    return csv_table(made, study), markdown_table(made, study), records, ranks


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[str], Executor]], Any]:
    """The results of a plain and of a tuned study with an executor, made once."""
    root = tmp_path_factory.mktemp("executors")
    known: dict[str, Any] = {}
    space = {"dropout": {"low": 0.0, "high": 0.5}}
    tuned = {"arms": {"usual": ["optimizer.lr=0.01"]}, "baselines": [], "tune": {"trials": 1, "space": space}}
    files = [study_file(root / "plain.yaml"), study_file(root / "tuned.yaml", **tuned)]

    def carry(name: str, made: Callable[[str], Executor]) -> Any:
        if name not in known:
            found = []
            for file in files:
                study = read_study_file(file)
                words = [f"paths.runs={root / name}", f"paths.cache={root / 'cache'}"]
                standing = prepare_study(study, words)
                said: list[Message] = []
                failed = run_missing(study, standing, executor=made(name), tell=lambda _, m, said=said: said.append(m))
                found.append((failed, said, timeless(standing.directory)))
            known[name] = found
        return known[name]

    return carry


class TestTheSameTables:
    @pytest.mark.parametrize("name", ["ray", "slurm"])
    def test_as_local(self, name, made, carried) -> None:
        for (failed, _, theirs), (failed_here, _, ours) in zip(
            carried(name, made), carried("local", made), strict=True
        ):
            csv, markdown, records, ranks = theirs
            assert csv == ours[0] and markdown == ours[1]
            assert records == ours[2] and ranks == ours[3]
            assert failed == failed_here

    @pytest.mark.parametrize("name", MADE)
    def test_a_failed_cell_has_its_reason_and_stops_no_other(self, name, made, carried) -> None:
        (failed, said, (_, markdown, records, ranks)), _ = carried(name, made)
        assert failed == 1 and sorted(m.kind for m in said if m.ends) == ["done", "done", "failed"]
        states = {record["label"]: record["status"] for record in records.values()}
        assert states == {"popularity": "finished", "usual": "finished", "wild": "failed"}
        (reason,) = (record["reason"] for record in records.values() if record["status"] == "failed")
        assert "diverged" in reason and "wild" in markdown and len(ranks) == 2
        assert not any(m.died for m in said)

    @pytest.mark.parametrize("name", MADE)
    def test_a_tuned_study(self, name, made, carried) -> None:
        _, (failed, said, (_, _, records, _)) = carried(name, made)
        assert failed == 0 and [m.kind for m in said if m.ends] == ["done", "done"]
        (run,) = (record for path, record in records.items() if "seed-1" in path)
        assert 0.0 <= run["config"]["dropout"] <= 0.5 and run["tuning"]["chosen"] == {
            "dropout": run["config"]["dropout"]
        }
        assert any(m.kind == "note" and "trial 1 of 1" in m.content for m in said)


class TestTheContract:
    @pytest.mark.parametrize("name", MADE)
    def test_every_order_ends_once(self, name, made, tmp_path, monkeypatch) -> None:
        """Two processes die, one run is wrong, one breaks, one is well."""
        monkeypatch.setenv("RESEARCH_TOLD", "yes")
        monkeypatch.chdir(tmp_path)
        orders = [Task(i, does) for i, does in enumerate(["exit", "mistake", "kill", "fault", "well"])]
        said: dict[int, list[Message]] = defaultdict(list)
        for message in made(name).execute(orders, Path("runs/s")):  # type: ignore[arg-type]
            said[message.index].append(message)
        assert sorted(said) == [0, 1, 2, 3, 4]
        for messages in said.values():
            assert [m.ends for m in messages].count(True) == 1 and messages[-1].ends
        ends = {index: messages[-1] for index, messages in said.items()}
        assert {index: (end.kind, end.died) for index, end in ends.items()} == {
            0: ("failed", True),
            1: ("failed", False),
            2: ("failed", True),
            3: ("failed", False),
            4: ("done", False),
        }
        assert ends[1].content == "There is no such thing." and "ValueError: broken" in ends[3].content
        assert "died" in ends[0].content and "died" in ends[2].content
        assert ends[4].content == {"index": 4, "here": str(tmp_path), "told": "yes"}

    def test_nothing_to_do(self, tmp_path, made) -> None:
        for name in MADE:
            assert list(MADE[name]().execute([], tmp_path)) == []
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", MADE)
    def test_a_caller_who_breaks_off_stops_the_work(self, name, made, tmp_path) -> None:
        order = Task(0, "waits", str(tmp_path))
        for message in made(name).execute([order], tmp_path):  # type: ignore[list-item]
            assert message.kind == "note"
            break
        (tmp_path / "go").touch()
        (end,) = (m for m in made(name).execute([order], tmp_path) if m.ends)  # type: ignore[list-item]
        assert end.kind == "done"

    def test_ray_begins_again_where_it_was_told_to(self, ray_here, tmp_path) -> None:
        orders = [Task(0, "exit once", str(tmp_path)), Task(1, "exit")]
        ends = {m.index: m for m in Ray(retries=1).execute(orders, tmp_path) if m.ends}  # type: ignore[arg-type]
        assert ends[0].kind == "done" and (ends[1].kind, ends[1].died) == ("failed", True)

    def test_what_was_said_last_is_heard_before_the_end(self, ray_here, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(ray_tasks, "_Mailbox", SlowMailbox)
        said = list(Ray().execute([Task(0, "well")], tmp_path))  # type: ignore[list-item]
        assert [(m.kind, m.ends) for m in said] == [("note", False), ("done", True)]

    def test_ray_says_what_no_machine_has(self, ray_here) -> None:
        assert Ray(gpus=64)._lacking([{"num_cpus": 1, "num_gpus": 64}]).startswith("No machine of the Ray cluster")
        assert Ray()._lacking([{"num_cpus": 1, "num_gpus": 0}]) == ""


class TestPreemption:
    def test_the_same_job_is_queued_again(self, tmp_path) -> None:
        job = jobs.Job(Task(3, "well"), tmp_path / "said", Surroundings.here())  # type: ignore[arg-type]
        again = job.checkpoint()
        assert again.function == job and again.args == () and again.kwargs == {}
        (note,) = Listener(tmp_path / "said", 3).heard()
        assert note == Message(3, "note", "task 3: pre-empted or out of time, queued again.")

    def test_a_job_that_is_pre_empted_is_done_in_the_end(self, tmp_path) -> None:
        does = ["pre-empted", "pre-empted by SIGTERM first"]
        orders = [Task(i, word, str(tmp_path)) for i, word in enumerate(does)]
        said = list(Slurm(engine="local", parallel=2).execute(orders, tmp_path))  # type: ignore[arg-type]
        for index in range(2):
            own = [m for m in said if m.index == index]
            assert [m.content for m in own if m.kind == "note"] == [
                f"task {index}: pre-empted or out of time, queued again.",
                f"hello from {index}",
            ]
            assert own[-1].kind == "done"

    def test_a_run_goes_on_where_it_was_and_ends_with_the_same_numbers(self, tmp_path) -> None:
        words = [*SET, "trainer.max_epochs=3", "seed=1", f"paths.cache={tmp_path / 'cache'}"]
        here, there = ([*words, f"paths.runs={tmp_path / name}"] for name in ("here", "there"))
        whole = Order(0, here, "s", {}, "usual", threads=1).carry_out(lambda _: None, lambda _: None)
        order = Preempted(0, there, "s", {}, "usual", threads=1, place=str(tmp_path / "once"))
        said = list(Slurm(engine="local").execute([order], tmp_path))
        assert [m.kind for m in said] == ["note", "done"] and "queued again" in said[0].content
        assert said[1].content["test"] == whole["test"]
        one, other = (next((tmp_path / name).rglob("ranks.parquet")).read_bytes() for name in ("here", "there"))
        assert one == other


# As SLURM's does, this sbatch keeps a copy of the script: submitit moves its own while the job may start already.
SBATCH = """#!/usr/bin/env bash
id=$((100 + $(ls "$FAKE"/*.sh 2> /dev/null | wc -l))); script="$FAKE/$id.sh"; cp "$1" "$script"
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$script")
state() { echo "$1" > "$FAKE/$SLURM_JOB_NAME.new"; mv "$FAKE/$SLURM_JOB_NAME.new" "$FAKE/$SLURM_JOB_NAME.state"; }
one() {
    while :; do
        state RUNNING
        bash "$script" > /dev/null 2>&1; code=$?
        [ -e "$FAKE/$SLURM_JOB_NAME.requeue" ] || break
        rm "$FAKE/$SLURM_JOB_NAME.requeue"
    done
    [ $code = 0 ] && state COMPLETED || state FAILED
}
export SLURM_JOB_ID=$id SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0
if [ -z "$last" ]; then SLURM_JOB_NAME=$id; (one > /dev/null 2>&1 &)
else
    export SLURM_ARRAY_JOB_ID=$id
    for i in $(seq 0 "$last"); do
        export SLURM_ARRAY_TASK_ID=$i SLURM_JOB_NAME=${id}_$i
        (one > /dev/null 2>&1 &)
    done
fi
echo "Submitted batch job $id"
"""
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do
    case $1 in --output) out=$2; shift 2;; --error) err=$2; shift 2;; *) shift;; esac
done
name() {
    local n=${1//%A/$SLURM_ARRAY_JOB_ID}; n=${n//%a/$SLURM_ARRAY_TASK_ID}; n=${n//%j/$SLURM_JOB_ID}; echo "${n//%t/0}"
}
"$@" >> "$(name "$out")" 2>> "$(name "$err")"
"""
SACCT = """#!/usr/bin/env bash
if [ -s "$FAKE/silent" ]; then sed -i 1d "$FAKE/silent"; echo "its database does not answer" >&2; exit 1; fi
echo "JobID|State|NodeList"
for file in "$FAKE"/*.state; do echo "$(basename "$file" .state)|$(cat "$file")|here"; done
"""
SCONTROL = """#!/usr/bin/env bash
touch "$FAKE/$2.requeue"
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that plays SLURM: its four commands, on this machine, as submitit calls them."""
    fake = tmp_path / "fake"
    fake.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scontrol": SCONTROL}.items():
        (fake / name).write_text(text)
        (fake / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(fake))
    monkeypatch.setitem(slurm.PAUSE, "slurm", 0.2)
    monkeypatch.setitem(slurm.PATIENCE, "slurm", 1.0)
    # submitit's memory of states: the jobs of another test bear the same numbers.
    monkeypatch.setattr(submitit.SlurmJob, "watcher", type(submitit.SlurmJob.watcher)())
    return fake


class TestQueue:
    """``engine: slurm``, with commands that stand for SLURM's."""

    def test_one_array_with_what_was_asked_for(self, cluster, tmp_path) -> None:
        orders = [Task(i, word, str(tmp_path)) for i, word in enumerate(["well", "pre-empted", "exit"])]
        asked = {"partition": "long", "gpus": 1, "cpus": 3, "memory_gb": 1.5, "minutes": 90, "parallel": 2}
        queue = Slurm(**asked, options=["constraint:a100"])
        ends = {m.index: m for m in queue.execute(orders, tmp_path / "s") if m.ends}  # type: ignore[arg-type]
        assert {i: (end.kind, end.died) for i, end in ends.items()} == {
            0: ("done", False),
            1: ("done", False),
            2: ("failed", True),
        }
        assert "The job 100_2 died (FAILED)" in ends[2].content and str(tmp_path / "s" / "jobs") in ends[2].content
        (script,) = cluster.glob("*.sh")
        said = {line.removeprefix("#SBATCH --") for line in script.read_text().splitlines() if "#SBATCH" in line}
        assert {
            "array=0-2%2",
            "partition=long",
            "gpus-per-node=1",
            "cpus-per-task=3",
            "mem=1536MB",
            "time=90",
            "constraint=a100",
        } <= said
        assert not list((tmp_path / "s" / "jobs").glob("task-*.json")), "notes of jobs that are over"

    def test_a_command_that_starts_again_listens_to_what_it_queued(self, cluster, tmp_path) -> None:
        orders = [Task(i, "waits", str(tmp_path)) for i in range(2)]
        for message in Slurm().execute(orders, tmp_path):  # type: ignore[arg-type]
            assert message.content == "waiting"
            break
        threading.Timer(1.0, (tmp_path / "go").touch).start()
        said = list(Slurm().execute([*orders, Task(2, "well")], tmp_path))  # type: ignore[list-item]
        assert {m.index: m.kind for m in said if m.ends} == {0: "done", 1: "done", 2: "done"}
        scripts = sorted(cluster.glob("*.sh"))
        assert len(scripts) == 2 and "--array=0-1" in scripts[0].read_text() and "--array" not in scripts[1].read_text()

    def test_a_job_that_is_over_is_queued_anew(self, cluster, tmp_path) -> None:
        for does, kind in (("mistake", "failed"), ("well", "done")):
            (end,) = [m for m in Slurm().execute([Task(0, does)], tmp_path) if m.ends]  # type: ignore[list-item]
            assert end.kind == kind, end.content

    @pytest.mark.parametrize("silent", [0, 2], ids=["SLURM says so", "SLURM says so when asked again"])
    def test_a_job_that_ended_while_nobody_listened_is_queued_anew(self, silent, cluster, tmp_path) -> None:
        (tmp_path / "jobs").mkdir()
        (tmp_path / "jobs" / "task-0.json").write_text(json.dumps({"job": "777", "said": "nothing.jsonl"}))
        (cluster / "777.state").write_text("CANCELLED by 0\n")
        (cluster / "silent").write_text("\n" * silent)
        (end,) = [m for m in Slurm().execute([Task(0, "well")], tmp_path) if m.ends]  # type: ignore[list-item]
        assert end.kind == "done", end.content
        assert len(list(cluster.glob("*.sh"))) == 1

    def test_what_slurm_refuses(self, cluster, tmp_path) -> None:
        (cluster / "sbatch").write_text("#!/usr/bin/env bash\necho 'invalid partition specified: lng' >&2; exit 1\n")
        with pytest.raises(UserError, match=r"SLURM refused the jobs: .*invalid partition specified: lng"):
            list(Slurm(partition="lng").execute([Task(0, "well")], tmp_path))  # type: ignore[list-item]


class TestListening:
    def test_only_whole_lines_and_only_once(self, tmp_path) -> None:
        path = tmp_path / "said"
        listener = Listener(path, 4)
        assert listener.heard() == []
        say(path, Message(0, "progress", Progress(1, 9, 1, None, 0.25)))
        with path.open("a") as file:
            file.write('{"kind": "note", "con')
        assert listener.heard() == [Message(4, "progress", Progress(1, 9, 1, None, 0.25))]
        assert listener.heard() == []
        with path.open("a") as file:
            file.write('tent": "é"}\n')
        assert listener.heard() == [Message(4, "note", "é")]


class TestHowMany:
    def test_cores_divided_by_threads(self, monkeypatch) -> None:
        monkeypatch.setattr(os, "cpu_count", lambda: 8)
        pages = {"SC_PHYS_PAGES": 4 * 2**20, "SC_PAGE_SIZE": 4096}  # 16 GB
        monkeypatch.setattr(os, "sysconf", pages.__getitem__)
        of = [[Task(0, "", threads=n) for n in threads] for threads in ([1, 1], [1, 3], [16], [2, None])]
        assert [side_by_side(orders) for orders in of] == [8, 2, 1, 1]  # type: ignore[arg-type]
        assert [side_by_side(of[0], gb) for gb in (1, 3, 16, 40)] == [8, 5, 1, 1]  # type: ignore[arg-type]


class TestSurroundings:
    def test_what_decides_is_passed_on_and_secrets_are_not(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", ["", "parts", *sys.path])
        for name in ("RESEARCH_CONFIGS", "WANDB_MODE", "WANDB_API_KEY", "HOME"):
            monkeypatch.setenv(name, name.lower())
        here = Surroundings.here()
        assert here.directory == str(tmp_path)
        assert here.variables["RESEARCH_CONFIGS"] == "research_configs" and here.variables["WANDB_MODE"] == "wandb_mode"
        assert not {"WANDB_API_KEY", "HOME"} & set(here.variables)
        places = here.variables["PYTHONPATH"].split(os.pathsep)
        assert places[:2] == [str(tmp_path), str(tmp_path / "parts")]
        assert str(Path(__file__).parents[2]) in places
        assert not any("site-packages" in place or place.endswith(".zip") for place in places)

    def test_a_machine_without_the_directory(self, tmp_path) -> None:
        gone = Surroundings(str(tmp_path / "gone"), {"PYTHONPATH": ""})
        with pytest.raises(UserError, match=r"has no directory .*gone.*file system that all of them share"):
            gone.enter()
        jobs.Job(Task(0, "well"), tmp_path / "said", gone)()  # type: ignore[arg-type]
        (end,) = Listener(tmp_path / "said", 0).heard()
        assert end.kind == "failed" and "has no directory" in end.content


class TestWords:
    def test_they_are_taken_out_of_those_of_the_runs(self) -> None:
        words = ["executor=ray", "data=simulated", "executor.address=auto", "paths.runs=executor"]
        assert split_words(words) == (
            ["executor=ray", "executor.address=auto"],
            ["data=simulated", "paths.runs=executor"],
        )

    def test_they_build_an_executor(self) -> None:
        chosen = chosen_executor([])
        assert isinstance(chosen, Local) and chosen.workers is None
        chosen = chosen_executor(["executor.memory_gb=2"], workers=3)
        assert isinstance(chosen, Local) and (chosen.workers, chosen.memory_gb) == (3, 2)
        chosen = chosen_executor(["executor=ray", "executor.address=auto", "executor.gpus=0.5"])
        assert isinstance(chosen, Ray) and (chosen.address, chosen.gpus) == ("auto", 0.5)
        chosen = chosen_executor(["executor=slurm", "executor.engine=local", "executor.options=[qos:low,gres:gpu:2]"])
        assert isinstance(chosen, Slurm) and chosen._asked["slurm_additional_parameters"] == {
            "qos": "low",
            "gres": "gpu:2",
        }

    @pytest.mark.parametrize(
        ("words", "workers", "message"),
        [
            (["executor=rey"], None, "There is no executor called 'rey'. Known: local, ray, slurm. Did you mean 'ray'"),
            (
                ["executor=ray", "executor.adress=auto"],
                None,
                "no key 'executor.adress'.*Did you mean 'executor.address'",
            ),
            (["executor=ray", "executor.cpus=two"], None, "executor.cpus=two is not a value"),
            (["executor=ray", "executor.gpus=-1"], None, "executor.gpus=-1: not below 0"),
            (["executor.workers=0"], None, "executor.workers=0: above 0"),
            (["executor=slurm", "executor.engine=slrm"], None, "Did you mean 'slurm'"),
            (["executor=slurm", "executor.engine=local", "executor.minutes=0"], None, "executor.minutes=0: at least 1"),
            (["executor=slurm", "executor.engine=local", "executor.options=[low]"], None, "'low' should be NAME:VALUE"),
            (["executor=ray"], 2, "--workers 2 is for processes of this machine; executor=ray"),
            (["executor.workers=3"], 2, "say one of them"),
        ],
    )
    def test_a_mistake(self, words, workers, message) -> None:
        with pytest.raises(UserError, match=message):
            chosen_executor(words, workers)

    def test_where_there_is_no_slurm(self, monkeypatch, tmp_path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(UserError, match=r"no SLURM on this machine.*executor.engine=local"):
            Slurm()

    def test_where_there_is_no_ray(self, monkeypatch) -> None:
        monkeypatch.setattr("ray.is_initialized", lambda: False)
        with pytest.raises(UserError, match=r"executor.address=127\.0\.0\.1:1: Ray did not answer"):
            list(Ray(address="127.0.0.1:1").execute([Task(0, "well")], Path()))  # type: ignore[list-item]

    @pytest.mark.parametrize(("kind", "module", "extra"), [(Ray, "ray", "ray"), (Slurm, "submitit", "slurm")])
    def test_an_extra_that_is_not_installed(self, kind, module, extra, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UserError, match=rf"pip install 'interest-fusion\[{extra}\]'"):
            kind()

    def test_on_the_command_line(self, tmp_path, capsys) -> None:
        places = [f"paths.runs={tmp_path / 'runs'}", f"paths.cache={tmp_path / 'cache'}"]
        file = study_file(tmp_path / "s.yaml", arms={"usual": []})
        with pytest.raises(SystemExit) as stop:
            cli.main(["study", file, "--plan", *places, "executor=slurm", "executor.engine=local"])
        assert not stop.value.code
        said = yaml.safe_load((tmp_path / "runs" / "s" / "study.yaml").read_text())
        assert said["set"] == SET, "how it is carried out is no part of what it is"
        with pytest.raises(SystemExit) as stop:
            cli.main(["study", file, "--plan", *places, "executor=slrm"])
        assert stop.value.code == 2 and "no executor called 'slrm'" in " ".join(capsys.readouterr().err.split())
