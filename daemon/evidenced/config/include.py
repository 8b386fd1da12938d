"""Several files as one configuration: `include`, and where each key was written.

Tables of all files are put together; the same key in two of them is a fault. Rules of
the including file come first, then those of the files that it includes, in order. A
rule there that has an included rule's name is no rule of its own: its keys take the
place of that rule's, one by one.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from evidenced.config.draft import Fault, Located
from evidenced.config.models import INCLUDED
from evidenced.config.shipped import shipped_folder, shipped_names
from evidenced.config.tomlfile import MAX_BYTES, ConfigUnreadable, parse, read
from evidenced.config.tree import MapOf, config_tree, inner_table
from evidenced.core.errors import BadInput
from evidenced.core.wording import KeyPath, nearest, quote, suggest

MAX_FILES = 100
"""Files of one configuration: more than a site of a hundred alarm systems needs."""
MAX_TOTAL = 2 * MAX_BYTES
"""Bytes of all of them together."""
MAIN = "evidenced.toml"
"""What the first file is called where a configuration is a text and no file."""
UNSET = ""
"""What an override takes a key away with, for TOML has no null."""
_RULE = inner_table(config_tree().keys["rules"].node)
CAN_BE_UNSET = frozenset(
    name
    for name, key in (_RULE.keys.items() if _RULE else ())
    if key.default is None and not key.is_required
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """One document made of all files, and where its parts stand."""

    raw: Mapping[str, Any]
    where: Mapping[KeyPath, Located]
    faults: tuple[Fault, ...]
    files: tuple[Path, ...] = ()

    def locate(self, place: KeyPath) -> Located:
        """The file ("" is the first) and the place in it."""
        for depth in range(len(place), 0, -1):
            found = self.where.get(place[:depth])
            if found is not None:
                return Located(found.file, found.place + place[depth:])
        return Located("", place)


def gather(raw: dict[str, Any], folder: Path | None, name: str = MAIN) -> Gathered:
    """The document with everything that it includes. Blocks on the disk.

    Without a folder only the files that come with evidenced can be included.
    """
    if "include" not in raw:
        return Gathered(raw, {}, ())
    gatherer = _Gatherer(dict(raw), name)
    first = folder / name if folder is not None else None
    gatherer.add_rules(gatherer.rules_of(_File("", raw, first)))
    files = tuple(Path(each) for each in gatherer.read)
    return Gathered(gatherer.raw, gatherer.where, tuple(gatherer.faults), files)


def with_hint(fault: Fault, gathered: Gathered) -> Fault:
    """A rule without topics was maybe meant to change an included one."""
    rules = gathered.raw.get("rules")
    match fault.place:
        case ("rules", int(n), "topics") if fault.text.startswith("is missing"):
            pass
        case _:
            return fault
    names = [
        rule.get("name") if isinstance(rule, dict) else None for rule in rules or ()
    ]
    included = [
        name
        for m, name in enumerate(names)
        if isinstance(name, str) and gathered.locate(("rules", m)).file
    ]
    near = nearest(str(names[n]), included)
    if near is None:
        return fault
    text = f"is missing; to change an included rule, name it as that: {quote(near)}"
    return Fault(fault.place, text)


@dataclass(frozen=True, slots=True)
class _File:
    """A file: how it is called in messages ("" is the first), and where it is."""

    name: str
    raw: Mapping[str, Any]
    path: Path | None


@dataclass(slots=True)
class _Rule:
    """A rule and the place of each of its keys."""

    keys: dict[str, Any]
    at: Located
    overridden: dict[str, Located] = field(default_factory=dict)


@dataclass(slots=True)
class _Gatherer:
    raw: dict[str, Any]
    main: str
    where: dict[KeyPath, Located] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    """Real paths that were read, and who included them."""
    bytes_left: int = MAX_TOTAL

    def rules_of(self, file: _File, above: tuple[str, ...] = ()) -> list[Any]:
        """The file's rules and those that it includes; its tables are merged."""
        chain = (*above, file.name)
        if file.path is not None and not above:
            self.read[os.path.realpath(file.path)] = ""
        own = self._own_rules(file)
        included: list[Any] = []
        for n, wanted in enumerate(self._wanted(file)):
            inner = self._open(file, n, wanted, chain)
            if inner is not None:
                self._merge_tables(inner)
                included += self.rules_of(inner, chain)
        return [*self._overrides(own, included), *included]

    def add_rules(self, rules: list[Any]) -> None:
        """Put them in the document, unless it has something else in their place."""
        if not isinstance(self.raw.get("rules", []), list):
            return
        self.raw["rules"] = [
            rule.keys if isinstance(rule, _Rule) else rule for rule in rules
        ]
        first: dict[str, Located] = {}
        for n, rule in enumerate(rules):
            if not isinstance(rule, _Rule):
                continue
            self.where["rules", n] = rule.at
            for key, at in rule.overridden.items():
                self.where["rules", n, key] = at
            name = rule.keys.get("name")
            other = first.setdefault(name, rule.at) if isinstance(name, str) else None
            if other is not None and other.file != rule.at.file:
                text = f"{quote(str(name))} is the name of a rule in {other} already"
                self._fault(rule.at.file, (*rule.at.place, "name"), text)

    def _own_rules(self, file: _File) -> list[Any]:
        rules = file.raw.get("rules", [])
        if not isinstance(rules, list):
            if file.name:
                text = "must be written with double brackets, as [[rules]]"
                self._fault(file.name, ("rules",), text)
            return []
        return [
            _Rule(dict(rule), Located(file.name, ("rules", n)))
            if isinstance(rule, dict)
            else rule
            for n, rule in enumerate(rules)
        ]

    def _overrides(self, own: Iterable[Any], included: Iterable[Any]) -> Iterator[Any]:
        """Apply those that change an included rule; the others stay rules."""
        by_name = {
            rule.keys["name"]: rule
            for rule in included
            if isinstance(rule, _Rule) and isinstance(rule.keys.get("name"), str)
        }
        for rule in own:
            name = rule.keys.get("name") if isinstance(rule, _Rule) else None
            changed = by_name.pop(name, None) if isinstance(name, str) else None
            if changed is None:
                yield rule
            else:
                _change(changed, rule)

    def _wanted(self, file: _File) -> list[str]:
        """What a file includes; what is wrong with it is told."""
        include = file.raw.get("include", [])
        if not isinstance(include, list):
            self._fault(
                file.name, ("include",), f"must be a list, each {INCLUDED.must_be}"
            )
            return []
        wanted = []
        for n, path in enumerate(include):
            try:
                wanted.append(str(INCLUDED.parse(path)))
            except ValueError:
                self._fault(file.name, ("include", n), INCLUDED.refuse(path))
        return wanted

    def _open(
        self, by: _File, n: int, wanted: str, chain: tuple[str, ...]
    ) -> _File | None:
        """The included file, parsed; None after telling what is wrong with it."""
        place: KeyPath = ("include", n)
        path = _find(by.path, wanted)
        if path is None:
            hint = suggest(wanted, shipped_names(), what="files that come with it")
            near = f" beside {by.name or self.main}" if by.path is not None else ""
            text = f"there is no file {quote(wanted)}{near}, none comes with evidenced"
            self._fault(by.name, place, f"{text} either; {hint}")
            return None
        name = str(PurePosixPath(by.name).parent / wanted)
        real = os.path.realpath(path)
        if real in self.read:
            self._fault(by.name, place, self._twice(wanted, real, name, chain))
            return None
        self.read[real] = by.name or self.main
        try:
            self._check_number()
            text = read(path, most=min(MAX_BYTES, self.bytes_left))
            self.bytes_left -= len(text.encode())
            return _File(name, parse(text), path)
        except ConfigUnreadable as error:
            self._fault(by.name, place, str(error))
        except BadInput as error:  # no TOML: the sentence has the line
            self.faults.append(Fault((), str(error), file=name))
        return None

    def _check_number(self) -> None:
        if len(self.read) > MAX_FILES + 1:
            raise ConfigUnreadable(f"there are more than {MAX_FILES} included files")
        if self.bytes_left <= 0:
            raise ConfigUnreadable(
                f"all files together are larger than {MAX_TOTAL // 1024} KiB"
            )

    def _twice(self, wanted: str, real: str, name: str, chain: tuple[str, ...]) -> str:
        first = self.read[real]
        if first and name not in chain:
            by = quote(first)
            return f"{quote(wanted)} is included by {by} already; include it once"
        circle = " > ".join(
            each or self.main for each in (*chain, name if first else "")
        )
        return f"a file cannot include itself: {circle}"

    def _merge_tables(self, file: _File) -> None:
        for section, value in file.raw.items():
            if section in {"include", "rules"}:
                continue
            key = config_tree().keys.get(section)
            depth = 2 if key and isinstance(key.node, MapOf) else 1
            self._merge(self.raw, file, (section,), value, depth)

    def _merge(
        self,
        into: dict[str, Any],
        file: _File,
        place: KeyPath,
        value: object,
        depth: int,
    ) -> None:
        key = str(place[-1])
        there = into.get(key)
        if key not in into:
            into[key] = dict(value) if isinstance(value, dict) else value
            self.where[place] = Located(file.name, place)
        elif depth and isinstance(there, dict) and isinstance(value, dict):
            into[key] = there = dict(there)
            for name, item in value.items():
                self._merge(there, file, (*place, name), item, depth - 1)
        else:
            other = Gathered(self.raw, self.where, ()).locate(place).file or self.main
            self._fault(file.name, place, f"is in {other} already; write it once")

    def _fault(self, file: str, place: KeyPath, text: str) -> None:
        self.faults.append(Fault(place, text, file=file))


def _change(rule: _Rule, by: _Rule) -> None:
    """An override replaces whole keys, or takes one away."""
    for key, value in by.keys.items():
        if value == UNSET and key in CAN_BE_UNSET:
            rule.keys.pop(key, None)
        else:
            rule.keys[key] = value
        rule.overridden[key] = Located(by.at.file, (*by.at.place, key))


def _find(by: Path | None, wanted: str) -> Path | None:
    """Beside the including file first, then among what comes with evidenced."""
    if by is not None and os.path.lexists(by.parent / wanted):
        return by.parent / wanted
    folder = shipped_folder()
    if folder is not None and wanted in shipped_names():
        return folder / wanted
    return None
