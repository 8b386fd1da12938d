"""Whether the configuration on disk is the one in force, where nobody reloaded it."""

from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

from evidenced.config.load import Loaded
from evidenced.config.models import Config
from evidenced.core.errors import BadInput
from evidenced.core.phrase import phrase
from evidenced.host.filestamp import file_stamp

PATIENCE = timedelta(minutes=5)
"""Somebody is editing it, and reloads it when that is done."""
CHANGED = phrase(
    "the configuration on disk was changed and is not in force: reload evidenced"
)
SPOILT = phrase(
    "the configuration on disk was changed, is wrong and is not in force: run "
    "evidenced check"
)


class OnDisk:
    """Reads the files only when they are others than before. Blocks on the disk."""

    def __init__(self, read: Callable[[], Loaded], files: Collection[Path]) -> None:
        self._read = read
        self._stamps = {file: file_stamp(file) for file in files}
        self._since: float | None = None
        self._text = ""

    def look(self, in_force: Config, monotonic: float) -> str:
        """A sentence once it has been another one for a while; "" before."""
        stamps = {file: file_stamp(file) for file in self._stamps}
        if stamps != self._stamps:
            self._stamps, self._text = stamps, self._compared(in_force)
        elif self._text and self._compared(in_force) == "":  # it was reloaded
            self._text = ""
        if not self._text:
            self._since = None
            return ""
        if self._since is None:
            self._since = monotonic
        is_lasting = monotonic - self._since >= PATIENCE.total_seconds()
        return self._text if is_lasting else ""

    def _compared(self, in_force: Config) -> str:
        try:
            loaded = self._read()
        except BadInput:
            return SPOILT
        if loaded.files:
            self._stamps = {file: file_stamp(file) for file in loaded.files}
        return "" if loaded.config == in_force else CHANGED
