"""`evidenced demo`: the whole way of an alarm on one bare machine, for people to watch.

A broker, a simulated recorder and the real daemon, all on loopback and in one folder.
"""

import asyncio
import logging
import tempfile
from pathlib import Path

from rich.console import Console

from evidenced.core.errors import BadInput
from evidenced.demo.installation import Home
from evidenced.demo.show import Show
from evidenced.demo.stage import Interrupted, NotReady, play
from evidenced.host import log

DEFAULT = Path("demo")
INTERRUPTED = 130
"""128 and the number of SIGINT, as a shell would report it."""


def run(directory: Path | None, *, stays: bool = False) -> int:
    """Play the demo in the folder; its exit code: 0 only if everything was exported.

    Without a folder it is ./demo, or a temporary one where that cannot be written.
    With `stays` everything goes on until Ctrl-C, so that the page can be looked at.

    Raises:
        BadInput: the folder cannot be used, or there is no broker to be had.
        StoreError: another demo is running in the folder.
    """
    home = Home(_prepare(directory).resolve())
    console = Console(highlight=False)
    show = Show(console)
    show.say(f"evidenced demo in {home.folder}", "bold")
    with home.log.open("a", encoding="utf-8") as stream:
        log.configure("info", stream=stream, is_terminal=False)
        logging.captureWarnings(capture=True)
        try:
            with show:
                result = asyncio.run(play(home, show, stays=stays))
        except Interrupted:
            show.say("Ended. The next demo in this folder starts afresh.")
            return INTERRUPTED
        except NotReady as problem:
            show.say(f"The daemon is not ready: {problem}", "bold red")
            return 1
        finally:
            logging.captureWarnings(capture=False)
    return 1 if result.missing else 0


def _prepare(directory: Path | None) -> Path:
    """The folder, there and writable."""
    try:
        return _made(directory or DEFAULT)
    except OSError as error:
        if directory is None:
            return Path(tempfile.mkdtemp(prefix="evidenced-demo-"))
        why = error.strerror or str(error)
        raise BadInput(
            f"--dir {directory} cannot be written to: {why}; choose another folder"
        ) from None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder
