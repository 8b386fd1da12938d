"""Protecting footage: executeAction server.tagVideoStart, and getVideoTagList.

Source: sense-api.md B9. As strict as the rest: a parameter that is not known, or is no
whole number within its range, is refused. A tag without a server and a device is taken
at its word: it is set on every camera, and the journal says so.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.simulator.codes import Code, CommandDenied
from evidenced.simulator.dialect import Dialect
from evidenced.simulator.exchange import HeardCall
from evidenced.simulator.journal import TagRecord
from evidenced.simulator.order import Node
from evidenced.simulator.scenario import TagsScenario

START = "server.tagvideostart"
_KNOWN = {"serverid", "deviceid", "pretime", "posttime", "title", "comment"}
_ALWAYS = {"command", "actionname", "nocache"}
FURTHEST_BACK = 24 * 60 * 60
"""Seconds; pretime goes up to 24 h back."""
LONGEST = 365 * FURTHEST_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTag:
    number: int
    server: str
    device: str
    start: datetime
    end: datetime | None
    set_at: datetime
    title: str
    comment: str
    listed_from: float


class TagBoard:
    """The tags of one recorder; a restart of the plugin leaves them."""

    def __init__(
        self,
        settings: TagsScenario,
        dialect: Dialect,
        cameras: Collection[tuple[str, str]],
        note: Callable[[TagRecord], None],
    ) -> None:
        self._settings = settings
        self._dialect = dialect
        self._cameras = list(cameras)
        self._note = note
        self._tags: list[VideoTag] = []

    def execute(self, call: HeardCall) -> None:
        """Checks: action -24, parameters -10 and -18, numbers -22, -17, -2, full."""
        action = call.query.get("actionname", "")
        if not action:
            raise CommandDenied(Code.TOO_FEW, "actionname")
        if action.lower() != START:
            raise CommandDenied(Code.BAD_ACTION, action)
        if strange := sorted(call.query.keys() - _KNOWN - _ALWAYS):
            raise CommandDenied(Code.GENERAL, f"unknown parameter {strange[0]}")
        before = _number(call, "pretime", FURTHEST_BACK) or 0
        after = _number(call, "posttime", LONGEST)
        server, device = call.query.get("serverid", ""), call.query.get("deviceid", "")
        is_everything = server in {"", "0"} or device in {"", "0"}
        if not is_everything:
            self._check(server, device)
        cameras = self._cameras if is_everything else [(server, device)]
        limit = self._settings.limit
        if limit and len(self._tags) + len(cameras) > limit:
            raise CommandDenied(self._settings.full_code)
        self._note(
            TagRecord(
                own_at=call.own_now,
                server=server,
                device=device,
                before=before,
                after=after,
                title=call.query.get("title", ""),
                is_everything=is_everything,
                is_effective=self._settings.effect == "set",
            )
        )
        if self._settings.effect == "set":
            for camera in cameras:
                self._set(call, camera, before, after)

    def _check(self, server: str, device: str) -> None:
        if server not in {each for each, _ in self._cameras}:
            raise CommandDenied(Code.NO_SERVER)
        if (server, device) not in self._cameras:
            raise CommandDenied(Code.NO_DEVICE)

    def _set(
        self, call: HeardCall, camera: tuple[str, str], before: int, after: int | None
    ) -> None:
        now = call.own_now
        self._tags.append(
            VideoTag(
                number=len(self._tags) + 1,
                server=camera[0],
                device=camera[1],
                start=now - timedelta(seconds=before),
                end=None if after is None else now + timedelta(seconds=after),
                set_at=now,
                title=call.query.get("title", "")[: self._settings.title_length],
                comment=call.query.get("comment", ""),
                listed_from=call.elapsed + self._settings.listed_after.total_seconds(),
            )
        )

    def listed(self, call: HeardCall) -> Node:
        """The list as this recorder writes it."""
        shown = [tag for tag in self._tags if tag.listed_from <= call.elapsed]
        if not shown and self._settings.empty == "code":
            raise CommandDenied(Code.NO_TAG)
        count = {"count": str(len(shown))}
        nodes = tuple(self._entry(tag) for tag in shown)
        return Node("videotaglist", children=nodes, attributes=count)

    def _entry(self, tag: VideoTag) -> Node:
        values = {
            "id": str(tag.number),
            "serverid": tag.server,
            "deviceid": tag.device,
            "startdate": self._dialect.time(tag.start),
            "videotagdate": self._dialect.time(tag.set_at),
            "enddate": self._dialect.time(tag.end) if tag.end else "",
            "title": tag.title,
            "comment": tag.comment,
            "status": "tagged",
        }
        if self._settings.entry == "attributes":
            return Node("videotag", attributes=values)
        children = tuple(Node(name, text) for name, text in values.items())
        return Node("videotag", children=children)


def _number(call: HeardCall, name: str, most: int) -> int | None:
    text = call.query.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
        raise CommandDenied(Code.OUT_OF_RANGE, name)
    return int(text)
