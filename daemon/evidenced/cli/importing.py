"""`evidenced incidents import`: records on shares, taken into the store again.

The files are hashed here, on as many threads as help and for as long as it takes; what
is intact is taken in by the running daemon, a folder an order. It alone writes its
store, and it looks at each record once more. The index of a share is not asked: it
names the newest folders only, and a new store has begun one of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from evidenced.cli.control import NotRunning, RunningDaemon, incident_path
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, daemon_of, load_config
from evidenced.cli.progress import ProgressLine
from evidenced.cli.terminal import AsJson, Failed, complain, say, say_json, warn
from evidenced.cli.verify import expected_key, faults_of
from evidenced.config.compile import build_site
from evidenced.core.folders.paths import below
from evidenced.core.folders.whereabouts import Destination
from evidenced.core.site import Site
from evidenced.core.spoken import size_words, stamp, zone_word
from evidenced.evidence.records import (
    RecordPlace,
    Unread,
    check_all,
    origin_of,
    sweep,
)
from evidenced.evidence.verify import Demand, Finding
from evidenced.host.clock import SystemClock

NOT_ALL = 1
BAD_INPUT = 2
MOST_WITHOUT = 10

Json = Mapping[str, Any]


def import_records(
    mounts: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MOUNT...",
            help="Of destinations, or folders below; all that are configured if none "
            "is named.",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="PUB",
            help="The public key that must have signed each record, or a file that "
            "holds it. Without it that of [evidence] key, where there is one.",
        ),
    ] = None,
    unsigned: Annotated[
        bool,
        typer.Option(
            "--unsigned", help="Take records that nobody signed, or anybody's key did."
        ),
    ] = False,
    instance: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Take what this instance wrote, and not our own."
        ),
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take incidents into the store whose records lie on shares: pruned ones, or all.

    Each folder is checked as `evidenced verify` does; one that is intact comes back as
    a finished incident, marked as imported, with an entry in the audit chain. Nothing
    is asked of a recorder for it. What the store knows already is passed over, so that
    it may be repeated. The daemon has to run.

    Exit 0: all are in the store. 1: some are not, each with a sentence; or no daemon
    answers. 2: no such mount, or bad input.

    Example: `evidenced incidents import /mnt/evidence`
    """
    if key is not None and unsigned:
        raise Failed("--key and --unsigned exclude each other", code=BAD_INPUT)
    site = build_site(load_config(config))
    public = None if key is None else expected_key(key)
    order: dict[str, object] = {"instance": instance, "unsigned": unsigned}
    if public is not None:
        order["key"] = public.hex()
    run = _Import(site, daemon_of(config), order)
    with ProgressLine(SystemClock().monotonic) as line:
        run.all(
            mounts or _mounts(site),
            Demand(keys=(public,) if public else ()),
            line,
            as_json=as_json,
        )
    if as_json:
        say_json(run.as_value())
    else:
        run.say_summary()
    if run.left:
        raise Failed(code=NOT_ALL)


def _mounts(site: Site) -> list[Path]:
    found = {each.mount for each in site.destinations.values() if each.mount}
    if not found:
        raise Failed("no destination of the configuration has a mount", code=BAD_INPUT)
    return sorted(found)


class _Import:
    """What was found, and what became of each folder."""

    def __init__(self, site: Site, daemon: RunningDaemon, order: Json) -> None:
        self._site = site
        self._daemon = daemon
        self._order = order
        self._bytes = 0
        self._done = 0
        self.counts: Counter[str] = Counter()
        self.taken: list[Json] = []
        self.left: list[str] = []

    def all(
        self,
        roots: Sequence[Path],
        demand: Demand,
        line: ProgressLine,
        *,
        as_json: bool,
    ) -> None:
        """Look through them. Raises NotRunning: nobody could take anything in."""
        placed = [self._placed(root) for root in roots]
        found = sweep(roots)
        for fault in found.faults:
            self._leave(fault)
        for folder in found.without[:MOST_WITHOUT]:
            warn(
                f"{folder} holds files, and neither it nor a folder above has a record"
            )
        of = dict(zip(roots, placed, strict=True))
        places = [
            RecordPlace(root=mount, names=(*way, *each.names))
            for each in found.places
            for mount, way in [of[each.root]]
        ]
        new = [each for each in places if not self._is_known(each)]

        def tell(count: int) -> None:
            self._bytes += count
            line.show(
                lambda: (
                    f"{self._done} of {len(new)} folders, "
                    f"{size_words(self._bytes)} read"
                )
            )

        for each, result in zip(new, check_all(new, demand, tell), strict=True):
            self._done += 1
            line.clear()
            self._take(each, result, as_json=as_json)

    def _placed(self, root: Path) -> tuple[Path, tuple[str, ...]]:
        """The mount that a folder lies on, and the way from there.

        Raises:
            Failed: exit 2, it is none of the configuration's.
        """
        whole = root.absolute()
        mounts = {each.mount for each in self._site.destinations.values() if each.mount}
        on = [mount for mount in mounts if whole.is_relative_to(mount)]
        if not on:
            raise Failed(
                f"{root} lies on no mount of a destination: name it in "
                "[destinations.NAME] mount, reload, and try again",
                code=BAD_INPUT,
            )
        mount = max(on, key=lambda each: len(each.parts))
        return mount, whole.relative_to(mount).parts

    def _is_known(self, place: RecordPlace) -> bool:
        """Whether the store has this very record: nothing of it is hashed again."""
        said = origin_of(place)
        if said is None:
            return False
        try:
            known = self._daemon.get(incident_path(said.incident))
        except NotRunning:
            raise
        except Failed:
            return False
        folders = (known.get("record") or {}).get("folders", [])
        if said.sha256 not in {each.get("sha256") for each in folders}:
            return False
        self.counts["known"] += 1
        return True

    def _take(
        self, place: RecordPlace, found: Finding | Unread, *, as_json: bool
    ) -> None:
        if isinstance(found, Unread):
            self._leave(f"{place.folder} is not taken: {found.why}")
            return
        if not found.is_intact:
            faults = faults_of(found)
            more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
            why = f"{faults[0]}{more}" if faults else f"key {found.key} signed it"
            self._leave(f"{place.folder} is not taken: {why}")
            return
        destination = self._destination(place, found)
        order = {
            "destination": destination.name,
            "folder": list(place.names),
            "record": found.sha256,
        }
        try:
            answer: Json = self._daemon.post("/api/imports", {**self._order, **order})
        except NotRunning:
            raise
        except Failed as refused:
            self._leave(f"{place.folder} is not taken: {'; '.join(refused.lines)}")
            return
        self.counts["imported" if answer.get("new") else "known"] += 1
        self.taken.append({**answer, "folder": str(place.folder)})
        if not as_json and answer.get("new"):
            record = found.record
            cameras = ", ".join(record.cameras[:3])
            say(f"imported {record.incident}: {cameras}, {record.span}; {place.folder}")

    def _destination(self, place: RecordPlace, found: Finding) -> Destination:
        """Of those on its mount the one that its record names, else any of them."""
        among = [
            each
            for each in self._site.destinations.values()
            if each.mount == place.root
        ]
        folder = found.record.folder
        fitting = (each for each in among if below(folder, each.root) == place.names)
        return next(fitting, among[0])

    def _leave(self, why: str) -> None:
        self.left.append(why)
        complain(why)

    def as_value(self) -> Json:
        return {
            "imported": self.counts["imported"],
            "known": self.counts["known"],
            "not_taken": self.left,
            "folders": self.taken,
        }

    def say_summary(self) -> None:
        """How many, and until when they stay."""
        parts = [f"{self.counts['imported']} folders imported"]
        if self.counts["known"]:
            parts.append(f"{self.counts['known']} in the store already")
        if self.left:
            parts.append(f"{len(self.left)} not taken")
        say(", ".join(parts))
        new = [each for each in self.taken if each.get("new")]
        if until := _first(new, "kept_until"):
            say(f"the store keeps them until {self._shown(until)} ([daemon] retain)")
        if until := _first(new, "footage_until"):
            say(
                f"footage of them is disposed of by age from {self._shown(until)} on: "
                "hold what has to stay"
            )

    def _shown(self, at: str) -> str:
        zone = self._site.zone
        instant = datetime.fromisoformat(at)
        return f"{stamp(instant, zone)} {zone_word(instant, zone)}"


def _first(taken: Iterable[Json], key: str) -> str:
    """The earliest of these instants; "" where there is none."""
    return min((str(each[key]) for each in taken if each.get(key)), default="")
