"""What a job says, as lines of JSON in a file that the listener reads as it grows.

A file needs no connection: the listener may start later than the job, or start again. It is data, nothing in it is run.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from research.studies.worker import Message


def say(path: Path, message: Message) -> None:
    """Append a message, in one piece: a signal that comes in between cannot part it."""
    content = asdict(message.content) if message.kind == "progress" else message.content
    line = json.dumps({"kind": message.kind, "content": content}) + "\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


class Listener:
    """Reads what was added since it read last."""

    def __init__(self, path: Path, index: int) -> None:
        """Listen to the job of the order ``index``; the file need not exist yet."""
        self.path, self.index = path, index
        self._read = 0

    def heard(self) -> list[Message]:
        """New messages; a line that is not yet whole is left for the next time."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except FileNotFoundError:
            return []
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        messages = []
        for line in whole.splitlines():
            said = json.loads(line)
            content = said["content"]
            if said["kind"] == "progress":
                from research.training.callbacks import Progress

                content = Progress(**content)
            messages.append(Message(self.index, said["kind"], content))
        return messages
