"""The questions of `evidenced init`, and what answers them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from evidenced.cli.asking import BAD_INPUT, Asker, NewFolder, NotGood
from evidenced.cli.discover import name_devices
from evidenced.cli.hearing import devices_of, hear, tell_heard
from evidenced.cli.newconfig import Answers, ChosenSystem, OwnRule, ServerLogin
from evidenced.cli.recognise import Recogniser
from evidenced.cli.terminal import Failed, note
from evidenced.config.compile import LOCALTIME, zone_name, zone_of
from evidenced.core.alarms.payload import PayloadFormat
from evidenced.core.errors import EvidencedError
from evidenced.core.recorder import Device
from evidenced.core.wording import nearest
from evidenced.kinds import DEFAULT_KIND, KINDS

NOTHING_HEARD = "alarms/#"
EXAMPLE_PATH = r"V:\evidence\{opened:%Y}\{opened:%m-%d}\{rule}-{id}"


class GivenLogin(NamedTuple):
    """What was given for the broker, or for the recorder."""

    url: str | None
    user: str | None
    password_file: Path | None
    ca_file: Path | None
    certificate: tuple[Path, Path] | None = None


def check_zone(name: str) -> str:
    """The name of a zone; "" is this host's.

    Raises:
        Failed: exit 2, there is none of this name.
    """
    try:
        zone_of(name)
    except (ValueError, LookupError, OSError, EvidencedError):
        text = f"--timezone {name!r} is none; write for example Europe/Amsterdam"
        raise Failed(text, code=BAD_INPUT) from None
    return name


def ask_zone(asker: Asker, given: str | None) -> str:
    """The site's time zone by name, so that another host reads times alike."""

    def known(name: str) -> str:
        try:
            return check_zone(name)
        except Failed as error:
            raise NotGood(str(error)) from None

    default = zone_name(os.environ, LOCALTIME) if asker.is_interactive else ""
    question = "Time zone of the site, such as Europe/Amsterdam"
    _, name = asker.until_it_works(
        lambda: asker.text(given, "--timezone", question, default), known, BAD_INPUT
    )
    return name


def _with_scheme(url: str, scheme: str) -> str:
    """A host alone is what people type; what an option says is exact."""
    return url if "://" in url or not url else f"{scheme}://{url}"


def ask_broker(asker: Asker, home: NewFolder, given: GivenLogin) -> ServerLogin:
    """The broker's address and account; its password goes into a file of `home`."""
    url = asker.text(
        given.url, "--broker", "Address of the broker", "mqtt://localhost", keeps=True
    )
    if given.url is None:
        url = _with_scheme(url, "mqtt")
    trust = _trust(asker, given, url, "--mqtt-ca-file")
    user = asker.text(given.user, "--mqtt-user", "Account there (empty: none)", "")
    if not user:
        return ServerLogin(url=url, more=trust)
    file = asker.secret(
        given.password_file,
        "--mqtt-password-file",
        f"Password of {user}",
        home.keeper("mqtt-password"),
    )
    return ServerLogin(url=url, username=user, password_file=file, more=trust)


def _trust(asker: Asker, given: GivenLogin, url: str, option: str) -> dict[str, str]:
    """The files by which a server is trusted, and trusts us, where it speaks TLS."""
    said = {}
    if url.startswith(("mqtts:", "wss:", "https:")):
        question = "File of the CA that signs its certificate (empty: this host's CAs)"
        named = str(given.ca_file) if given.ca_file is not None else None
        said["ca_file"] = asker.text(named, option, question, "", keeps=True)
    if given.certificate is not None:
        said["client_cert"], said["client_key"] = map(str, given.certificate)
    return {key: str(Path(file).absolute()) for key, file in said.items() if file}


def ask_recorder(
    asker: Asker, home: NewFolder, given: GivenLogin, more: Mapping[str, str]
) -> ServerLogin:
    """The same of the recorder, and the keys that its kind needs."""
    question = "Address of the recorder (http://...)"
    url = asker.text(given.url, "--recorder", question, keeps=True)
    if given.url is None:
        url = _with_scheme(url, "http")
    trust = _trust(asker, given, url, "--recorder-ca-file")
    user = asker.text(given.user, "--recorder-user", "Account there", keeps=True)
    file = asker.secret(
        given.password_file,
        "--recorder-password-file",
        f"Password of {user}",
        home.keeper("recorder-password"),
    )
    asked = {
        key: asker.text(
            more.get(key), f"--recorder-key {key}", question, "", keeps=True
        )
        for key, question in KINDS[DEFAULT_KIND].asks.items()
    }
    said = {key: text for key, text in {**trust, **more, **asked}.items() if text}
    return ServerLogin(url=url, username=user, password_file=file, more=said)


def choose_systems(
    asker: Asker,
    heard: Recogniser,
    given: Sequence[str] | None,
    cameras: Sequence[str],
    *,
    is_own: bool,
) -> list[ChosenSystem]:
    """The ready-made rules that are to be used."""
    proposed = [each.system for each in heard.likely()] if not is_own else []
    if given is not None or is_own or not asker.is_interactive:
        said = proposed if given is None else given
        _, names = asker.until_it_works(lambda: said, partial(_known, heard), BAD_INPUT)
    else:
        note(f"ready-made rules there are for: {', '.join(heard.titles)}")
        question = "Which to use, with commas between (empty: a rule of your own)"
        _, names = asker.until_it_works(
            lambda: _parts(asker.text(None, "--system", question, ", ".join(proposed))),
            partial(_known, heard),
        )
    return [
        _chosen(asker, heard, system, named, cameras) for system, named in names.items()
    ]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _known(heard: Recogniser, said: Sequence[str]) -> dict[str, str]:
    """Each system with the cameras that were named beside it."""
    names = {name: named for name, _, named in (each.partition("=") for each in said)}
    for system in names:
        if system not in heard.titles:
            near = nearest(system, heard.titles)
            meant = f"; did you mean {near!r}?" if near else ""
            raise NotGood(f"there are no ready-made rules for {system!r}{meant}")
    return names


def _chosen(
    asker: Asker, heard: Recogniser, system: str, named: str, cameras: Sequence[str]
) -> ChosenSystem:
    title, by_group = heard.titles[system], heard.rules_naming_cameras(system)
    theirs = heard.found[system].cameras if system in heard.found else set()
    if by_group and theirs and theirs <= set(cameras) and not named:
        return ChosenSystem(system=system, title=title, cameras=())
    question = f"Cameras that alarms of {system} export, or all"
    _, wanted = asker.until_it_works(
        lambda: _parts(asker.text(named or None, "--system", question, "all")),
        partial(_cameras, cameras),
        BAD_INPUT,
    )
    return ChosenSystem(system=system, title=title, cameras=wanted, by_group=by_group)


def _cameras(known: Sequence[str], said: Sequence[str]) -> Sequence[str]:
    if list(said) == ["all"]:
        return known
    for name in said:
        if name not in known:
            raise NotGood(f"there is no camera {name!r}; there are {', '.join(known)}")
    if not said:
        raise NotGood("name one camera at least")
    return said


def own_rule(
    asker: Asker, heard: Recogniser, topic: str | None, cameras: Sequence[str]
) -> OwnRule:
    """A rule for a topic that no ready-made rule knows.

    Raises:
        Failed: exit 2, nobody can be asked.
    """
    if topic is None and not asker.is_interactive:
        raise Failed(
            "--system or --topic is missing: nothing was heard that a ready-made rule "
            "knows",
            code=BAD_INPUT,
        )
    first = next(iter(heard.topics), NOTHING_HEARD)
    said = asker.text(topic, "--topic", "Topic of your alarms (+ and # work)", first)
    return OwnRule(
        topic=said, format=heard.topics.get(said, PayloadFormat.ANY), cameras=cameras
    )


@dataclass(frozen=True, slots=True)
class Given:
    """What was said as options; None is asked for."""

    instance: str
    timezone: str | None
    broker: GivenLogin
    recorder: GivenLogin
    recorder_keys: Mapping[str, str]
    listen: timedelta
    systems: Sequence[str] | None
    topic: str | None
    destination: str | None
    mount: str | None


@dataclass(frozen=True, slots=True)
class Interview:
    """All questions in their order: what one rests on was asked before it."""

    asker: Asker
    home: NewFolder
    given: Given

    def all(self) -> Answers:
        """Ask what was not given, try broker and recorder, and listen.

        Raises:
            Failed: exit 1, one of them does not work; 2, an answer is bad or missing.
        """
        broker, heard = self._listened_to()
        recorder, cameras = self._seen()
        names = [name for name, _ in cameras]
        systems, own = self._rules(heard, names)
        path = self.asker.text(
            self.given.destination,
            "--destination",
            "Where footage goes on the recorder",
            EXAMPLE_PATH,
        )
        mount = self.asker.text(
            self.given.mount, "--mount", "That share on this host (empty: nowhere)", ""
        )
        return Answers(
            instance=self.given.instance,
            timezone=ask_zone(self.asker, self.given.timezone),
            broker=broker,
            recorder=recorder,
            cameras=cameras,
            systems=systems,
            own=own,
            destination=path,
            mount=Path(mount).absolute() if mount else None,
        )

    def _listened_to(self) -> tuple[ServerLogin, Recogniser]:
        broker, heard = self.asker.until_it_works(
            lambda: ask_broker(self.asker, self.home, self.given.broker),
            lambda account: hear(account, self.given.listen),
        )
        tell_heard(heard)
        return broker, heard

    def _seen(self) -> tuple[ServerLogin, Sequence[tuple[str, Device]]]:
        recorder, devices = self.asker.until_it_works(
            lambda: ask_recorder(
                self.asker, self.home, self.given.recorder, self.given.recorder_keys
            ),
            devices_of,
        )
        cameras = name_devices(devices, {}, ())
        names = [name for name, _ in cameras]
        note(f"the recorder has {len(names)} cameras: {', '.join(names)}")
        return recorder, cameras

    def _rules(
        self, heard: Recogniser, names: Sequence[str]
    ) -> tuple[list[ChosenSystem], OwnRule | None]:
        """Ready-made rules; one of one's own if none fits, or a topic was given."""
        topic = self.given.topic
        systems = choose_systems(
            self.asker, heard, self.given.systems, names, is_own=topic is not None
        )
        if systems and topic is None:
            return systems, None
        return systems, own_rule(self.asker, heard, topic, names)
