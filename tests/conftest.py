"""What the tests share: histories made by hand, simulated ones, one thread, and every component found by scanning."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

# Before torch is imported, here and in the processes that tests start: the tiny tensors of a test are slower on many
# threads, and two processes with as many threads as cores get into each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from research.data.batch import Batch
    from research.data.histories import Histories

MakeHistories = Callable[..., "Histories"]
MakeBatch = Callable[..., "Batch"]

SCANNED = {
    "encoder_class": ("encoders", "Encoder"),
    "fusion_class": ("fusion", "Fusion"),
    "window_class": ("windows", "Window"),
    "loss_class": ("losses", "Loss"),
    "auxiliary_class": ("auxiliary", "Auxiliary"),
}
"""A test with one of these arguments runs for every class of that folder: a new file joins by itself."""


def components(folder: str, base: str) -> list[type]:
    """All classes of ``research.<folder>`` that can be built: below its base, without subclasses of their own."""
    package = importlib.import_module(f"research.{folder}")
    modules = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    kind = getattr(importlib.import_module(f"research.{folder}.base"), base)
    own = [c for m in modules for c in vars(m).values() if inspect.isclass(c) and c.__module__ == m.__name__]
    return [c for c in own if issubclass(c, kind) and not inspect.isabstract(c) and not c.__subclasses__()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for argument, (folder, base) in SCANNED.items():
        if argument in metafunc.fixturenames:
            found = components(folder, base)
            metafunc.parametrize(argument, found, ids=[c.__name__ for c in found])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start processes come first: one is minutes long, and at the end one core would wait for the other."""
    items.sort(key=lambda item: not {"studies", "tuning", "test_docs.py"} & set(item.path.parts))


@pytest.fixture(autouse=True)
def same_draws() -> None:
    """A test that says no seed draws what it drew the last time, whichever tests ran before it."""
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a command that asks for workers, for tests of something else."""
    from research.studies.executors.local import Local
    from tests.studies.here import Here

    monkeypatch.setattr(Local, "execute", Here.execute)


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """The tiny tensors of a test are slower on many threads than on one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def build_histories(
    *users: list[int], times: list[list[int]] | None = None, n_items: int | None = None, has_times: bool = True
) -> Histories:
    from research.data.histories import Histories

    lengths = [len(items) for items in users]
    flat = [item for items in users for item in items]
    stamps = [list(range(n)) for n in lengths] if times is None else times
    assert [len(t) for t in stamps] == lengths
    n_items = n_items or max(flat)
    return Histories(
        name="by hand",
        offsets=np.array([sum(lengths[:u]) for u in range(len(users) + 1)], dtype=np.int64),
        items=np.array(flat, dtype=np.int32),
        times=np.array([t for row in stamps for t in row], dtype=np.int64),
        n_items=n_items,
        has_times=has_times,
        user_ids=np.array([f"u{u}" for u in range(len(users))]),
        item_ids=np.array([f"i{i}" for i in range(1, n_items + 1)]),
        digest="by hand",
    )


@pytest.fixture(scope="session")
def make_histories() -> MakeHistories:
    """``make_histories([1, 2, 3], [2, 1], times=..., n_items=..., has_times=...)``: one list of items a user."""
    return build_histories


@pytest.fixture(scope="session")
def make_batch() -> MakeBatch:
    """``make_batch([[1, 2, 3], [2]], times=[[0, 60, 90], [5]])``, padded by a plain loop."""

    def make(items: list[list[int]], times: list[list[int]] | None = None) -> Batch:
        import torch

        from research.data.batch import Batch

        stamps = [list(range(len(row))) for row in items] if times is None else times
        t = max(len(row) for row in items)
        return Batch(
            users_B=torch.arange(len(items)),
            items_BT=torch.tensor([row + [0] * (t - len(row)) for row in items]),
            times_BT=torch.tensor([row + [row[-1]] * (t - len(row)) for row in stamps]),
            now_BT=torch.tensor([row[1:] + [row[-1]] * (t - len(row) + 1) for row in stamps]),
            length_B=torch.tensor([len(row) for row in items]),
        )

    return make


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Histories:
    """Twenty simulated users with real times and at least five interactions each."""
    from research.data.prepare import prepare
    from research.data.sources.simulated import Simulated

    source = Simulated(n_users=20, n_items=40, mean_length=9.0)
    return prepare(source, cache=tmp_path_factory.mktemp("cache"))
