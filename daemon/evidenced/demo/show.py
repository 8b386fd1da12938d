"""The screen: what happened line by line, and below it, on a terminal, how it stands.

Where nobody sits at a terminal the lines alone tell everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evidenced.core.alarms.payload import one_line
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import INCIDENTS
from evidenced.core.keeping.kept import Dossier
from evidenced.core.machine import Tone
from evidenced.core.telling.story import Story, progress, why

MAX_LINE = 400
NAME_WIDTH = 16
BAR_WIDTH = 16

_STYLES: Mapping[Tone, str] = {
    Tone.FILM: "bold red",
    Tone.WAIT: "yellow",
    Tone.RUN: "cyan",
    Tone.GOOD: "bold green",
    Tone.PART: "bold magenta",
    Tone.BAD: "bold magenta",
    Tone.OFF: "dim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that the table shows, of one moment."""

    incidents: Sequence[Incident]
    exports: Mapping[IncidentId, Sequence[ExportRequest]]
    now: datetime
    zone: tzinfo = UTC

    def story(self, incident: Incident) -> Story:
        exports = tuple(self.exports.get(incident.id, ()))
        dossier = Dossier(incident=incident, alarms=(), exports=exports, history=())
        return Story(dossier=dossier, now=self.now, zone=self.zone)


class Show:
    """Lines, and a live table below them; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, auto_refresh=False, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def line(self, elapsed: float, name: str, text: str, style: str = "") -> None:
        """One thing that happened, so many seconds after the start."""
        cells = (
            Text(f"{elapsed:5.1f} s", "dim"),
            Text(f"{one_line(name, NAME_WIDTH):<{NAME_WIDTH}}", "bold"),
            Text(one_line(text, MAX_LINE), style, overflow="fold"),
        )
        if self._console.is_terminal:
            grid = Table.grid(padding=(0, 2, 0, 0))  # long text wraps in its column
            grid.add_row(*cells)
            self._console.print(grid)
        else:
            self._console.print(Text("  ").join(cells), soft_wrap=True)

    def say(self, text: str = "", style: str = "") -> None:
        """One line of our own."""
        self._console.print(Text(text, style), soft_wrap=True)

    def update(self, picture: Picture) -> None:
        """Bring the table up to this moment."""
        if self._live is not None:
            self._live.update(board(picture), refresh=True)


def board(picture: Picture) -> RenderableType:
    """The incidents as a table, oldest first."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("incident", "state", "", "now"):
        table.add_column(title, header_style="dim", no_wrap=True)
    for incident in picture.incidents:
        table.add_row(*_row(incident, picture))
    return table


def _row(incident: Incident, picture: Picture) -> Iterable[RenderableType]:
    story = picture.story(incident)
    done = progress(incident, story.dossier.exports)
    text = why(story) or done.words
    bar = ProgressBar(total=100, completed=done.percent, width=BAR_WIDTH)
    return (
        Text(one_line(incident.rule, NAME_WIDTH)),
        Text(incident.state, _STYLES[INCIDENTS[incident.state].tone]),
        bar,
        Text(one_line(text, MAX_LINE), overflow="ellipsis"),
    )
