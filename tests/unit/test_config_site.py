"""The checked configuration as the values that the daemon works with."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from evidenced.config import Config, load_text
from evidenced.config.compile import build_site, local_zone, state_dir
from evidenced.core.alarms import braces
from evidenced.core.alarms.alarm import Alarm, Reading
from evidenced.core.alarms.braces import between
from evidenced.core.camera import Roster
from evidenced.core.errors import ConfigError, NotFound
from evidenced.core.ids import CameraName, DestinationName, GroupName, RecorderName
from fakes.rule import read_alarm

FULL = r"""
[daemon]
instance = "north"
timezone = "Europe/Amsterdam"

[mqtt]
url = "mqtts://broker.example"

[recorders.main]
url = "https://sense.example"
username = "export"
password = { env = "SENSE_PASSWORD" }
bandwidth = "20 Mbit/s"

[recorders.main.retry]
give_up = "1h"

[[recorders.main.bandwidth_windows]]
from = "22:00"
to = "06:00"
days = "fri-sun"
pause = true

[cameras.lobby]
server = "1001"
device = "2001"
label = "The lobby"
[cameras."Front Door"]
server = "1001"
device = "2002"
pre_roll = "10s"
[cameras.gate]
recorder = "main"
server = "1001"
device = "2003"

[groups]
all = ["gate", "@entrance", "lobby"]
entrance = ["lobby", "Front Door"]

[destinations.nas]
path = 'V:\evidence\{opened:%Y}\{rule}-{id}'

[[rules]]
name = "door"
topics = ["door/{door}", "gate/{door}"]
when = "state == 'open'"
clear = "state == 'closed'"
time = "at"
timezone = "America/New_York"
id = "n"
retained = "accept"
fields = { card = "card.number" }
group_by = ["door", "card"]
cameras = ["@all", "{door}"]
bandwidth = "8 Mbit/s"
priority = 7
alert_after = "0s"
"""


@pytest.fixture(name="config", scope="module")
def _config() -> Config:
    return load_text(FULL).config


def test_groups_are_flat_in_the_order_of_the_file(config: Config) -> None:
    groups = build_site(config).roster.groups
    assert groups[GroupName("all")] == ("gate", "lobby", "Front Door")
    assert groups[GroupName("entrance")] == ("lobby", "Front Door")


def test_cameras_belong_to_the_only_recorder(config: Config) -> None:
    cameras = build_site(config).roster.cameras
    assert {camera.recorder for camera in cameras.values()} == {"main"}
    assert cameras[CameraName("lobby")].label == "The lobby"
    door = cameras[CameraName("Front Door")]
    assert (door.label, door.pre_roll) == ("Front Door", timedelta(seconds=10))


def test_recorders_are_asked_as_configured(config: Config) -> None:
    recorder = build_site(config).recorders[RecorderName("main")]
    assert recorder.bandwidth == 2_500_000
    assert recorder.retry.give_up == timedelta(hours=1)
    assert recorder.retry.longest == timedelta(minutes=10)
    (window,) = recorder.bandwidth_windows
    assert (window.start, window.end) == (time(22), time(6))
    assert (window.days, window.pause) == (frozenset({4, 5, 6}), True)


def test_incidents_keep_the_terms_of_their_rule(config: Config) -> None:
    (rule,) = build_site(config).rules
    assert rule.terms.destination == "nas"
    assert rule.terms.root == "V:\\evidence\\"
    assert (rule.terms.priority, rule.terms.bandwidth) == (7, 1_000_000)
    assert rule.terms.alert_after is None
    assert rule.terms.max_length == timedelta(minutes=30)


def test_the_compiled_rule_reads_an_alarm(config: Config) -> None:
    site = build_site(config)
    alarm = Alarm(
        topic="door/Front Door",
        payload=b'{"state":"open","at":"2026-06-01T08:00:00","card":{"number":7}}',
        received_at=datetime(2026, 6, 1, 12, 0, 1, tzinfo=UTC),
        retained=True,
    )
    reading = read_alarm(site.rules, alarm)
    assert isinstance(reading, Reading)
    assert reading.moment.at == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert reading.key == "Front Door/7"
    found, unknown = site.roster.find(reading.cameras)
    assert [camera.name for camera in found] == ["gate", "lobby", "Front Door"]
    assert unknown == ()


def test_used_are_the_cameras_that_rules_name_or_may_name(config: Config) -> None:
    names = {RecorderName("main"): {"gate", "lobby", "Front Door"}}
    used = build_site(config).used_cameras
    assert {name: {c.name for c in each} for name, each in used.items()} == names
    assert len(used[RecorderName("main")]) == 3


def test_used_cameras_are_found_without_trying_each_rule_with_each_camera(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000 rules with 20,000 cameras took minutes, in which nothing else happened."""
    site, many = build_site(config), 200
    camera, tried = site.roster.cameras[CameraName("lobby")], list[str]()
    cameras = {
        name: replace(camera, name=name)
        for name in (CameraName(f"area-{n}-east") for n in range(many))
    }
    rules = [
        replace(site.rules[0], cameras=(written,))
        for n in range(many)
        for written in (f"area-{n}-east", f"area-{n}-{{side}}")
    ]

    def counted(literals: Sequence[str], text: str) -> list[str] | None:
        tried.append(text)
        return between(literals, text)

    monkeypatch.setattr(braces, "between", counted)
    large = replace(site, rules=tuple(rules), roster=Roster(cameras=cameras, groups={}))
    assert len(large.used_cameras[RecorderName("main")]) == many
    assert len(tried) < 4 * many


def test_each_filter_is_subscribed_once(config: Config) -> None:
    assert build_site(config).filters == ("door/+", "gate/+")


def test_local_time_is_as_configured(config: Config) -> None:
    site = build_site(config)
    assert (site.instance, site.zone) == ("north", ZoneInfo("Europe/Amsterdam"))


def test_local_time_of_the_host(tmp_path: Path) -> None:
    file = tmp_path / "localtime"
    assert local_zone({}, file) is UTC
    assert local_zone({"TZ": ":Asia/Tokyo"}, file) == ZoneInfo("Asia/Tokyo")
    file.write_bytes(b"no zone")
    assert local_zone({}, file) is UTC


@pytest.mark.parametrize("sign", ["", ":"])
def test_a_host_may_say_its_zone_by_path_or_rules(tmp_path: Path, sign: str) -> None:
    """Source: tzset(3); all of them are what libc takes, too."""
    amsterdam, nowhere = tmp_path / "zone", tmp_path / "nowhere"
    zones = resources.files("tzdata.zoneinfo.Europe")
    amsterdam.write_bytes((zones / "Amsterdam").read_bytes())
    for text in (str(amsterdam), "CET-1CEST,M3.5.0,M10.5.0/3"):
        zone = local_zone({"TZ": sign + text}, nowhere)
        at = [datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 7)]
        assert [f"{each.astimezone(zone):%H}" for each in at] == ["13", "14"]
    for text in ("what is this", "localtime", "/etc/localtime\0"):
        zone = local_zone({"TZ": sign + text}, amsterdam)
        assert zone is UTC if text[0] == "/" else str(zone) == "localtime"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, "state"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a"),
    ],
)
def test_the_folder_of_the_store(
    config: Config, environ: dict[str, str], folder: str
) -> None:
    assert state_dir(config, environ) == Path(folder)
    text = FULL.replace("[daemon]", '[daemon]\nstate_dir = "/srv/state"')
    assert state_dir(load_text(text).config, environ) == Path("/srv/state")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("h/db?bogus=1", 'invalid URI query parameter: "bogus"'),
        ("h/%zz", "invalid percent-encoded token"),
        ("me:geheim@h/db", "must not contain a password"),
    ],
)
def test_an_address_that_no_driver_reads_is_told_with_its_place(
    address: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        load_text(f'daemon.store = "postgresql://{address}"\nmqtt.url = "mqtt://b"')
    (problem,) = (each for each in caught.value.problems if "daemon.store" in each)
    assert "geheim" not in problem


SHARES = r"""
[destinations.all]
path = 'V:\{rule}-{id}'
mount = "/mnt/v"
record = false
[destinations.secret]
path = 'V:\secret\{rule}-{id}'
mount = "/mnt/secret"
[destinations.same]
path = 'V:\secret\{id}'
mount = "/mnt/secret"
record = false
"""


@pytest.mark.parametrize(
    ("path", "name", "found", "folder"),
    [
        (r"V:\x", "all", "all", "/mnt/v/x"),
        (r"V:\secret\x", "secret", "secret", "/mnt/secret/x"),
        (r"V:\secret\x", "same", "same", "/mnt/secret/x"),
        (r"V:\x", "gone", "all", "/mnt/v/x"),
        (r"V:\secret\x", "gone", "secret", "/mnt/secret/x"),
        (r"V:\secret\x", "all", "all", "/mnt/v/secret/x"),
    ],
)
def test_a_path_lies_where_its_destination_is_or_its_root_leads_furthest(
    path: str, name: str, found: str, folder: str
) -> None:
    text = FULL.replace("[[rules]]", '[[rules]]\ndestination = "nas"')
    site = build_site(load_text(text + SHARES).config)
    place = site.places.mounted(path, DestinationName(name))
    assert place is not None
    destination, mount, folders = place
    assert (destination.name, mount.joinpath(*folders)) == (found, Path(folder))
    assert site.places.mounted(r"W:\x", DestinationName(name)) is None


def test_a_path_is_never_looked_for_on_another_destination_s_share() -> None:
    text = FULL.replace("[[rules]]", '[[rules]]\ndestination = "nas"')
    site = build_site(load_text(text + SHARES).config)
    assert site.places.mounted(r"V:\x", DestinationName("secret")) is None


def test_the_destination_that_says_so_is_that_of_whatever_names_none() -> None:
    text = FULL + SHARES.replace(
        "[destinations.same]", "[destinations.same]\ndefault = true"
    )
    site = build_site(load_text(text).config)
    assert {rule.terms.destination for rule in site.rules} == {"same"}
    assert site.by_hand().destination == "same"


def test_footage_by_hand_goes_where_it_was_said_to_go() -> None:
    text = FULL.replace("[[rules]]", '[[rules]]\ndestination = "nas"')
    site = build_site(load_text(text + SHARES).config)
    chosen = site.by_hand("secret")
    assert (chosen.destination, chosen.root) == (
        "secret",
        site.destinations[DestinationName("secret")].root,
    )
    with pytest.raises(NotFound, match="no destination 'secrt'; did you mean"):
        site.by_hand("secrt")


def test_texts_that_name_nothing_are_as_good_as_left_out() -> None:
    nothing = "".join(f'{key} = ""\n' for key in ("each", "time", "until", "id"))
    text = re.sub(r"^(time|id|each|until) = .*\n", "", FULL, flags=re.MULTILINE)
    text = text.replace("[[rules]]", f"[[rules]]\n{nothing}")
    [rule, *_] = build_site(load_text(text).config).rules
    assert (rule.each, rule.time, rule.until, rule.event_id) == (None,) * 4
