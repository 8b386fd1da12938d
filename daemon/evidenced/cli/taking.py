"""`evidenced incidents export`: the evidence of an incident, to be handed on."""

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path, PureWindowsPath
from typing import Annotated

import typer

from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    IncidentArgument,
    load_config,
)
from evidenced.cli.seeing import named
from evidenced.cli.terminal import AsJson, Failed, say, say_json
from evidenced.cli.verify import as_value, faults_of
from evidenced.config.compile import build_site
from evidenced.connections import store_settings
from evidenced.core.ids import IncidentId
from evidenced.core.keeping.evidence import Record
from evidenced.core.telling.written import telling_parts
from evidenced.evidence.verify import Finding, verify
from evidenced.host import tree
from evidenced.host.tree import NameKind
from evidenced.store.snapshot import open_snapshot

BROKEN = 1


def export(
    incident: IncidentArgument,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where a folder of it is made.")
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Copy the evidence of an incident: its record, and the footage beside it.

    Of a destination with a mount its folder is copied from the share. Of one that this
    host does not see, the record is what the daemon keeps; the footage is where the
    record says. Each copy is checked as `evidenced verify` does. The store is only
    read, and the daemon may run meanwhile.

    Exit 0: copied and intact. 1: not found, no record yet, or the copy is not intact.
    2: bad input.

    Example: `evidenced incidents export 20261123-061530-k3f9 /media/usb`
    """
    loaded = load_config(config)
    site = build_site(loaded)
    name = IncidentId(named(config, incident))
    with open_snapshot(store_settings(loaded, os.environ)) as view:
        dossier = view.dossier(name)
        papers = view.evidence.papers(name)
    if dossier is None:
        raise Failed(f"there is no incident {name}", code=BROKEN)
    record = dossier.record
    if record is None or not record.folders:
        raise Failed(f"incident {name}: {_why_none(record)}", code=BROKEN)
    found = []
    for path, target in _targets(folder, [each.path for each in record.folders], name):
        _make(target)
        place = site.places.mounted(path, dossier.incident.terms.destination)
        if path in papers:
            _write(target, papers[path])
        elif place is not None:
            _copy(place[1], place[2], target)
        else:
            raise Failed(
                f"{path} is no longer seen from this host; its destination has no "
                "`mount` any more",
                code=BROKEN,
            )
        found.append(verify(target))
    _tell(found, as_json=as_json)


def _why_none(record: Record | None) -> str:
    if record is None:
        return "it has no record: no footage of it was exported, or `record = false`"
    return f"its record is {record.state}: {record.message or 'it is not written yet'}"


def _targets(folder: Path, paths: list[str], incident: str) -> list[tuple[str, Path]]:
    """Where each goes: by its own name, with as much before it as tells them apart."""
    parts = [PureWindowsPath(path).parts[1:] for path in paths]
    count = max(telling_parts(each, incident) for each in parts)
    while len({each[-count:] for each in parts}) < len(paths) and count < max(
        map(len, parts)
    ):
        count += 1
    return [
        (path, folder.joinpath(*each[-count:]))
        for path, each in zip(paths, parts, strict=True)
    ]


def _make(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.mkdir()
    except FileExistsError:
        raise Failed(f"{target} exists; nothing is written over", code=2) from None
    except OSError as error:
        raise Failed(f"{target} cannot be made: {error.strerror}", code=2) from None


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    try:
        for name, data in files.items():
            (target / name).write_bytes(data)
    except OSError as error:
        raise Failed(f"{target} cannot be written: {error.strerror}", code=2) from None


def _copy(mount: Path, names: tuple[str, ...], target: Path) -> None:
    """All files of a folder on a share; links and the like are left out."""
    try:
        with (
            tree.open_folder(mount, names) as handle,
            closing(tree.walk(handle)) as found,
        ):
            for each in found:
                to = target / each.name
                if each.kind is NameKind.FOLDER:
                    to.mkdir()
                elif each.kind is NameKind.FILE:
                    handle_of = tree.open_file(handle, each.name)
                    with open(handle_of, "rb") as file, to.open("xb") as copy:  # noqa: PTH123
                        shutil.copyfileobj(file, copy, 1 << 20)
    except OSError as error:
        why = error.strerror or error
        raise Failed(f"{mount.joinpath(*names)}: {why}", code=2) from None


def _tell(found: Iterable[Finding], *, as_json: bool) -> None:
    found = list(found)
    faults = [f"{each.folder}: {line}" for each in found for line in faults_of(each)]
    if as_json:
        say_json({"intact": not faults, "records": [as_value(each) for each in found]})
    else:
        for each in found:
            word = f"{each.files} files" if each.record.is_seen else "the record only"
            say(f"{each.folder}: {word}; signature: {each.signature}")
            if not each.record.is_seen:
                say(f"  the footage is at the recorder, in {each.record.folder}")
    if faults:
        raise Failed(*(() if as_json else faults), code=BROKEN)
