"""Runs of a study as tasks of a Ray cluster, or of a Ray that is started on this machine.

Ray decides where and when: a task asks for the CPUs that its run has threads for, for GPUs and for memory. How a run
ended is the task's own result; what it says before that goes through a mailbox, which may be lost without harm. When
the command that started them ends, Ray stops its tasks.

Ray: Moritz et al., OSDI 2018, https://www.ray.io.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from research.errors import UserError
from research.studies.executors.base import Executor
from research.studies.executors.surroundings import Surroundings
from research.studies.worker import Message, Order, TuneOrder, attempt

STORE = 100 * 2**20
"""Bytes of shared memory of a Ray that is started here: messages are small, and Ray would take a third of it all."""
PATIENCE = 30.0
"""Seconds that the last message of a run may be on its way."""


def need_ray() -> None:
    """See that Ray is there, and that it neither calls home nor talks.

    Raises:
        UserError: it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError("executor=ray needs Ray, which is an extra: pip install 'interest-fusion[ray]'") from error


class Ray(Executor):
    """Tasks of Ray. A caller who breaks off stops them."""

    def __init__(
        self,
        *,
        address: str = "local",
        cpus: float | None = None,
        gpus: float = 0,
        memory_gb: float | None = None,
        retries: int = 0,
    ) -> None:
        """Say where Ray is and what a run takes.

        Args:
            address: ``local`` starts Ray on this machine; ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT`` is a cluster.
            cpus: of a run; ``None`` is its threads, or one.
            gpus: of a run; 0.5 lets two share one.
            memory_gb: of a run, in 2^30 bytes; ``None`` asks for none.
            retries: times that a run is begun again whose process or machine died; it continues where it was.

        Raises:
            UserError: Ray is not installed, or a number makes no sense.
        """
        for name, value in (("cpus", cpus), ("gpus", gpus), ("memory_gb", memory_gb), ("retries", retries)):
            if value is not None and value < 0:
                raise UserError(f"executor.{name}={value}: not below 0.")
        need_ray()
        self.address, self.cpus, self.gpus = address, cpus, gpus
        self.memory_gb, self.retries = memory_gb, retries

    def execute(self, orders: Sequence[Order | TuneOrder], directory: Path) -> Iterator[Message]:
        import ray
        from ray.exceptions import RayError, RayTaskError

        if not orders:
            return
        self._connect()
        here = Surroundings.here()
        runtime = {"env_vars": here.variables}
        mailbox = ray.remote(_Mailbox).options(num_cpus=0, runtime_env=runtime).remote()
        task = ray.remote(_carry_out)
        asked = [self._asks(order) for order in orders]
        if lacking := self._lacking(asked):
            yield Message(orders[0].index, "note", lacking)
        going = {
            task.options(**asks, max_retries=self.retries, runtime_env=runtime).remote(order, here, mailbox): order
            for order, asks in zip(orders, asked, strict=True)
        }
        try:
            while going:
                ended, _ = ray.wait(list(going), num_returns=1, timeout=0.5)
                open_orders = {order.index for order in going.values()}
                yield from (said for said in self._taken(mailbox) if said.index in open_orders)
                for reference in ended:
                    order = going.pop(reference)
                    try:
                        yield ray.get(reference)
                    except RayTaskError as error:
                        yield Message(order.index, "failed", str(error))
                    except RayError as error:
                        reason = " ".join(str(error).split())
                        yield Message(order.index, "failed", f"The process died: {reason}", died=True)
        finally:
            for reference in going:
                ray.cancel(reference, force=True)
            ray.kill(mailbox)  # type: ignore[arg-type]

    def _connect(self) -> None:
        """Reach the cluster, or start one, unless this process has one already."""
        import ray

        if ray.is_initialized():
            return
        quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        started = {"include_dashboard": False, "object_store_memory": STORE} if self.address == "local" else {}
        try:
            host, _, port = self.address.removeprefix("ray://").rpartition(":")
            if port.isdigit():  # Ray itself would wait for many minutes
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(address=self.address, **quiet, **started)
        except ImportError as error:
            raise UserError(f"{self.address} needs Ray's client: pip install 'ray[client]' ({error})") from error
        except Exception as error:  # Ray raises bare ones too
            ray.shutdown()
            mend = (
                "Its helpers must start within 15 s: try again when the machine is less busy, or connect to a Ray "
                "that runs already, with executor.address=auto."
                if self.address == "local"
                else "Start one with `ray start --head`, name another address, or say executor.address=local."
            )
            said = " ".join(str(error).split())
            raise UserError(f"executor.address={self.address}: Ray did not answer ({said}). {mend}") from error

    def _asks(self, order: Order | TuneOrder) -> dict[str, float]:
        memory = {} if self.memory_gb is None else {"memory": self.memory_gb * 2**30}
        return {"num_cpus": self.cpus if self.cpus is not None else order.threads or 1, "num_gpus": self.gpus, **memory}

    @staticmethod
    def _lacking(asked: Sequence[dict[str, float]]) -> str:
        """A line where no machine of the cluster has what a run asks for: Ray would wait without a word."""
        import ray

        names = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
        most = {names[key]: max(asks[key] for asks in asked) for key in asked[0]}
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if any(all(has.get(name, 0) >= need for name, need in most.items()) for has in machines):
            return ""
        need = ", ".join(f"{name} {value:g}" for name, value in most.items() if value)
        return f"No machine of the Ray cluster has what a run asks for ({need}): waiting for one."

    @staticmethod
    def _taken(mailbox: Any) -> list[Message]:
        import ray
        from ray.exceptions import RayError

        try:
            return ray.get(mailbox.take.remote())
        except RayError:  # its machine is gone: there is no progress to show, and all else goes on
            return []


class _Mailbox:
    """Keeps what runs say until it is asked for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def put(self, message: Message) -> None:
        self.messages.append(message)

    def take(self) -> list[Message]:
        taken, self.messages = self.messages, []
        return taken


def _carry_out(order: Order | TuneOrder, surroundings: Surroundings, mailbox: Any) -> Message:
    """What a task does."""
    try:
        surroundings.enter()
    except UserError as error:
        return Message(order.index, "failed", str(error))
    posted = []

    def post(message: Message) -> None:
        posted[:] = [mailbox.put.remote(message)]

    ended = attempt(order, post)
    _delivered(posted)
    return ended


def _delivered(posted: Sequence[Any]) -> None:
    """Wait until the last message is in the mailbox: behind the end of its order nobody would take it out."""
    import ray
    from ray.exceptions import RayError

    with contextlib.suppress(RayError):  # the mailbox's machine is gone, or it does not answer
        ray.get(list(posted), timeout=PATIENCE)
