"""A simulated recorder as a process of its own, so that it can be killed.

Each export that it accepts is written down before it is answered: what a recorder has
done outlives it, as files on a share do.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from typing_extensions import override

from evidenced.host.clock import SystemClock
from evidenced.simulator import Ending, Request, Simulator, SimulatorServer
from fakes.installation import DEADLINE_S, Recorder, quick
from fakes.mosquitto import free_port

TESTS = Path(__file__).parents[1]
LISTENING = b"listening\n"


class RecorderProcess(Recorder):
    """Stands for a recorder in an `Installation`; `exports` is what all its lives did.

    The journal of the base stays empty: it is in the other process.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.port = free_port()
        self._file = folder / "exports.jsonl"
        self._process: Process | None = None

    @override
    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fakes.recorder_process"),
            *(str(self.port), str(self._file)),
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == LISTENING

    @override
    async def stop(self) -> None:
        """End it as a power cut does: its list, ids and sessions are gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        async with asyncio.timeout(DEADLINE_S):
            await process.wait()

    @property
    def exports(self) -> list[dict[str, Any]]:
        """What was accepted: `life` (of which process), `path`, `devices`."""
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [json.loads(line) for line in lines]


class _Writing(Simulator):
    def __init__(self, file: Path) -> None:
        super().__init__(quick(), SystemClock())
        self._out = file.open("a", buffering=1)
        self._written = 0

    @override
    def handle(self, request: Request) -> Ending:
        outcome = super().handle(request)
        exports = self.journal.exports
        for record in list(exports)[self._written :]:
            devices = [
                [each.device, str(each.window.start), str(each.window.end)]
                for each in record.order.devices
            ]
            line = {"life": os.getpid(), "path": record.order.path, "devices": devices}
            self._out.write(json.dumps(line) + "\n")
            self._written += 1
        return outcome


async def _serve(port: int, file: Path) -> None:
    async with SimulatorServer(_Writing(file), "127.0.0.1", port):
        sys.stdout.buffer.write(LISTENING)
        sys.stdout.buffer.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
