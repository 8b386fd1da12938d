"""What the vendor's text leaves open: each variant of the scenario, no sockets."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import ConfigError
from evidenced.simulator import (
    Action,
    Hang,
    Request,
    Scenario,
    SentReply,
    Simulator,
    Strike,
    load_scenario,
)
from evidenced.simulator.places import split
from evidenced.simulator.sessions import digest
from fakes.clock import START, FakeClock
from fakes.proofs import duplicates, early, peak_bandwidth, peak_exports

XML = {"content-type": "text/xml"}
BODY = (
    "<export><devices>{devices}</devices>"
    r"<path>V:\x</path><bandwidth>{bandwidth}</bandwidth></export>"
)
DEVICE = (
    "<device><serverid>1001</serverid><deviceid>{uid}</deviceid>"
    "<starttime>2026-11-23 05:50:00.000</starttime>"
    "<endtime>2026-11-23 05:51:00.000</endtime></device>"
)
NONCE = "AR5chsWVZagPfMpB"


def scenario(**parts: object) -> Scenario:
    return Scenario.model_validate(parts)


class Play:
    """A client of few words; the answer is always a reply here."""

    def __init__(self, played: Scenario | None = None) -> None:
        self.clock = FakeClock()
        self.simulator = Simulator(played or Scenario(), self.clock)
        self.key = ""

    def ask(self, method: str, url: str, body: str = "") -> SentReply:
        cookie = {"Cookie": f"other=1; sessionkey={self.key}"}
        request = Request.to(method, url, {**XML, **cookie}, body.encode())
        outcome = self.simulator.handle(request)
        assert isinstance(outcome, SentReply)
        return outcome

    def text(self, command: str) -> str:
        return self.ask("GET", f"/command?command={command}").body.decode()

    def login(self, *, password: str = "secret") -> SentReply:  # noqa: S107
        reply = self.ask(
            "POST",
            "/webservice?noCache=1",
            f"<AuthenticateUser><username>export</username>"
            f"<password>{password}</password></AuthenticateUser>",
        )
        found = re.search(
            rb"\b([0-9]{5,})\b", reply.body + repr(reply.headers).encode()
        )
        self.key = found[1].decode() if found else self.key
        return reply

    def export(self, *uids: str, bandwidth: int = 1_000_000) -> SentReply:
        devices = "".join(DEVICE.format(uid=uid) for uid in uids or ("2001",))
        body = BODY.format(devices=devices, bandwidth=bandwidth)
        return self.ask("POST", "/command?command=exportVideo", body)


def logged_in(**parts: object) -> Play:
    play = Play(scenario(**parts))
    play.login()
    return play


def test_the_digest_is_the_documented_one() -> None:
    # computed with openssl: md5, sha1 of the raw sha1, sha1 -hmac
    expected = "aa27e270526a988f4cc04faa5d31dd6ab3ef2c2e"
    assert digest("2026-11-23 06:00:00", "export", "secret", NONCE) == expected


@pytest.mark.parametrize(
    ("timestamp", "nonce", "is_upper", "is_accepted"),
    [
        ("2026-11-23 06:00:00", NONCE, False, True),
        ("2026-11-23 06:05:00", NONCE, False, True),
        ("2026-11-23 06:05:01", NONCE, False, False),
        ("2026-11-23 06:00:00.000", NONCE, False, False),
        ("2026-11-23 06:00:00", "other", False, False),
        ("2026-11-23 06:00:00", NONCE, True, False),
    ],
)
def test_digest_logins(
    timestamp: str, nonce: str, is_upper: bool, is_accepted: bool
) -> None:
    value = digest(timestamp, "export", "secret", nonce)
    reply = Play().ask(
        "POST",
        "/webservice",
        f"<AuthenticateUserDigest><username>export</username><nonce>{nonce}</nonce>"
        f"<timestamp>{timestamp}</timestamp>"
        f"<digest>{value.upper() if is_upper else value}</digest>"
        "</AuthenticateUserDigest>",
    )
    assert (b"<sessionkey>" in reply.body) is is_accepted


def test_the_nonce_that_is_named_counts_too() -> None:
    value = digest("2026-11-23 06:00:00", "export", "secret", NONCE)
    reply = Play().ask(
        "POST",
        "/webservice",
        "<AuthenticateUserDigest><username>export</username><nonce>other</nonce>"
        f"<timestamp>2026-11-23 06:00:00</timestamp><digest>{value}</digest>"
        "</AuthenticateUserDigest>",
    )
    assert b"sessionkey" not in reply.body


def test_a_login_kind_may_be_missing() -> None:
    play = Play(scenario(login={"kinds": ["digest"]}))
    assert b"sessionkey" not in play.login().body


@pytest.mark.parametrize(
    ("key_in", "pattern"),
    [
        ("element", r"<sessionkey>\d+</sessionkey>"),
        ("nested-element", r"<authentication><sessionkey>\d+</sessionkey>"),
        ("session-element", r"<session>\d+</session>"),
        ("attribute", r'<result errorcode="0" sessionkey="\d+"/>'),
        ("key-attribute", r'<session key="\d+"/>'),
    ],
)
def test_where_the_key_is(key_in: str, pattern: str) -> None:
    play = Play(scenario(login={"key_in": key_in}))
    assert re.search(pattern, play.login().body.decode())
    assert play.export().status == 200


def test_the_key_in_a_cookie() -> None:
    play = Play(scenario(login={"key_in": "cookie"}))
    reply = play.login()
    assert reply.headers[1][1].startswith(f"sessionkey={play.key};")
    assert play.export().status == 200


@pytest.mark.parametrize(
    ("failure", "status", "text"),
    [
        ("code", 200, b'errorcode="-18"'),
        ("401", 401, b""),
        ("403", 403, b""),
        ("no-key", 200, b'errorcode="0"'),
        ("html", 200, b"<html>"),
    ],
)
def test_how_a_login_fails(failure: str, status: int, text: bytes) -> None:
    reply = Play(scenario(login={"failure": failure})).login(password="wrong")
    assert reply.status == status
    assert text in reply.body
    assert b"sessionkey" not in reply.body


@pytest.mark.parametrize(
    ("expiry", "status", "text"),
    [
        ("401", 401, b""),
        ("403", 403, b""),
        ("302", 302, b""),
        ("html", 200, b"<html>"),
        ("code", 200, b'errorcode="-18"'),
    ],
)
def test_how_an_ended_session_shows(expiry: str, status: int, text: bytes) -> None:
    play = logged_in(session={"expiry": expiry, "lifetime": "1h"})
    play.clock.advance(timedelta(minutes=59))
    assert b"deviceid" in play.text("getDeviceList").encode()
    play.clock.advance(timedelta(minutes=1))
    reply = play.export()
    assert reply.status == status
    assert text in reply.body
    assert not play.simulator.journal.exports


def test_an_idle_session_ends_and_a_used_one_does_not() -> None:
    play = logged_in(session={"idle": "1m"})
    for _ in range(3):
        play.clock.advance(59)
        assert play.export().status == 200
    play.clock.advance(60)
    assert play.export().status == 401


@pytest.mark.parametrize(
    ("past_limit", "first_is_open"), [("refuse", True), ("end-oldest", False)]
)
def test_as_many_sessions_as_may_be(past_limit: str, first_is_open: bool) -> None:
    play = logged_in(session={"limit": 1, "past_limit": past_limit})
    first = play.key
    second = play.login()
    assert (b"sessionkey" in second.body) is not first_is_open
    play.key = first
    assert (play.export().status == 200) is first_is_open


def test_info_in_its_forms() -> None:
    assert Play(scenario(info={"form": "absent"})).ask("GET", "/info").status == 404
    offset = scenario(info={"form": "malformed"}, clock={"offset": "-90s"})
    text = Play(offset).ask("GET", "/info").body.decode()
    assert "<utc>2026-11-23 05:58:30<version>2.7.3</version>" in text
    assert "</utc>" not in text.split("<version>")[0]


def test_its_clock_drifts_jumps_and_ignores_the_hosts() -> None:
    clock = {"drift_ppm": 1000, "jumps": [{"at": "50s", "by": "-3s"}]}
    play = Play(scenario(clock=clock))
    play.clock.jump(timedelta(hours=1))
    play.clock.advance(40)
    assert play.simulator.own_now == START + timedelta(seconds=40.04)
    play.clock.advance(60)
    assert play.simulator.own_now == START + timedelta(seconds=97.1)


def test_the_list_may_be_malformed_as_the_sample_is() -> None:
    play = logged_in(xml={"malformed_list": True})
    play.export("2001", "2002")
    text = play.text("getExportVideoStatus")
    assert "<exports count=1>" in text
    assert text.count("<device>") == 2
    assert "</device>" not in text
    assert text.startswith("<!--?xml")


@pytest.mark.parametrize(
    ("xml", "pattern"),
    [
        ({"tag_case": "upper"}, r'<RESULT ERRORCODE="0"><EXPORTS COUNT="1">'),
        ({"tag_case": "title"}, r'<Result Errorcode="0"><Exports Count="1">'),
        ({"extra_nodes": True}, r'futureAttribute="1"><futureTag'),
        ({"success_code": 3}, r'<result errorcode="3">'),
        ({"times": "s"}, r"<starttime>2026-11-23 05:50:00</starttime>"),
        ({"zone": "Europe/Amsterdam"}, r"<starttime>2026-11-23 06:50:00.000<"),
        ({"progress": "decimal"}, r"<progress>33.33</progress>"),
        ({"progress": "sign"}, r"<progress>33%</progress>"),
        ({"progress": "zero"}, r"<progress>0</progress>"),
        ({"progress": "absent"}, r"</endtime><status>"),
        ({"status_as": "description"}, r'<status description="busy"/>'),
    ],
)
def test_the_list_in_its_spellings(xml: dict[str, object], pattern: str) -> None:
    play = logged_in(xml=xml)
    play.export()
    play.clock.advance(10)
    assert re.search(pattern, play.text("getExportVideoStatus"))


def test_other_words() -> None:
    play = logged_in(words={"running": "verwerken"}, exports={"parallel": 1})
    play.export()
    play.export()
    assert "<status>verwerken</status><bandwidth>" in play.text("getExportVideoStatus")
    assert "<status>pending</status><bandwidth>" in play.text("getExportVideoStatus")


def test_those_past_parallel_wait_their_turn() -> None:
    play = logged_in(exports={"parallel": 1})
    for _ in range(3):
        play.export()
    play.clock.advance(1000)
    play.simulator.tick()
    seconds = [
        (record.finished_at - START).total_seconds()
        for record in play.simulator.journal.exports
        if record.finished_at
    ]
    assert seconds == [30, 60, 90]
    assert peak_exports(play.simulator.journal) == 3
    assert peak_bandwidth(play.simulator.journal) == 3_000_000


def test_without_a_cap_the_disk_is_the_limit() -> None:
    play = logged_in(exports={"disk_speed": 3_000_000})
    play.export(bandwidth=0)
    play.clock.advance(10)
    assert "<status>finished</status>" in play.text("getExportVideoStatus")
    assert peak_bandwidth(play.simulator.journal) == float("inf")


def test_ids_and_lists_of_sessions() -> None:
    play = logged_in()
    first = play.key
    play.export()
    play.login()
    play.export("2002")
    text = play.text("getExportVideoStatus")
    assert re.findall(r"<exportid>(\d)", text) == ["1", "1"]
    assert ">2002<" in play.text("getExportVideoStatus&exportid=1")
    play.key = first
    assert ">2001<" in play.text("getExportVideoStatus&exportid=1")
    other = logged_in(exports={"ids": "plugin", "listed": "session"})
    other.export()
    other.login()
    other.export()
    text = other.text("getExportVideoStatus")
    assert re.findall(r"<exportid>(\d)", text) == ["2"]


def test_a_new_one_may_be_listed_late_and_is_known_by_its_id() -> None:
    play = logged_in(exports={"listed_after": "20s"})
    play.export()
    assert 'count="0"' in play.text("getExportVideoStatus")
    play.clock.advance(20)
    assert 'count="1"' in play.text("getExportVideoStatus")


def test_many_may_have_been_done_before() -> None:
    play = logged_in(exports={"listed_before": 2000})
    play.export()
    text = play.text("getExportVideoStatus")
    assert 'count="2001"' in text
    assert text.count("<path>D:\\somebody-else\\export-") == 2000


def test_completed_ones_are_dropped_in_time() -> None:
    play = logged_in(exports={"completed_listed": "1m", "unknown_id": "empty"})
    play.export()
    play.clock.advance(89)
    assert 'count="1"' in play.text("getExportVideoStatus")
    play.clock.advance(1)
    assert 'count="0"' in play.text("getExportVideoStatus")
    assert 'count="0"' in play.text("getExportVideoStatus&exportid=1")


def test_images_tell_what_is_recorded() -> None:
    gaps = [{"start": "-40s", "end": "-20s"}]
    play = logged_in(devices=[{"server": "1", "device": "2", "gaps": gaps}])

    def seconds(query: str) -> list[str]:
        text = play.text(f"getImageSequence&serverid=1&cameraid=2{query}")
        return re.findall(r"<time>2026-11-23 05:5\d:(\d\d)", text)

    window = "&starttime=2026-11-23%2005:59:15&endtime=2026-11-23%2006:00:00.000"
    full = seconds(window)
    assert full[:5] == ["15", "16", "17", "18", "19"]
    assert full[5:] == [f"{n}" for n in range(40, 58)]  # 20 to 40 is missing, 58 is lag
    assert seconds(window + "&limit=1") == ["15"]
    assert seconds(window + "&limit=-2") == ["56", "57"]
    assert 'errorcode="-2"' in play.text("getImageSequence&serverid=1&deviceid=9")
    late = play.text("getImageSequence&serverid=1&deviceid=2&starttime=now")
    assert 'errorcode="-4"' in late


def test_the_journal_measures() -> None:
    play = logged_in()
    assert play.simulator.journal.requests[0].session == play.key
    play.clock.jump(timedelta(days=1))  # the host's clock does not matter
    play.export()
    play.clock.advance(30)
    play.export()
    play.export()
    journal = play.simulator.journal
    assert peak_exports(journal) == 2
    assert peak_bandwidth(journal) == 2_000_000
    ended = timedelta(minutes=9)  # the windows end that long before the start
    assert not early(journal, ended)
    assert len(early(journal, ended + timedelta(milliseconds=1))) == 1
    assert len(early(journal, ended + timedelta(seconds=31))) == 3


def test_duplicates_show_in_the_journal() -> None:
    play = logged_in()
    play.export("2001", "2002")
    assert not duplicates(play.simulator.journal)
    play.export("2002")
    ((asked, count),) = duplicates(play.simulator.journal)
    assert (asked.device, count) == ("2002", 2)


def struck(fault: dict[str, object], calls: int) -> list[int]:
    """Which of so many calls, a second apart, were struck by the fault."""
    play = logged_in(faults=[{"action": "status", "status": 503, **fault}])
    statuses = []
    for _ in range(calls):
        statuses.append(play.ask("GET", "/command?command=getDeviceList").status)
        play.clock.advance(1)
    return [n for n, status in enumerate(statuses, start=1) if status == 503]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"command": "getdevicelist"}, [1]),
        ({"command": "exportVideo"}, []),
        ({"command": "getDeviceList", "nth": 3}, [3]),
        ({"command": "getDeviceList", "nth": 2, "times": 2}, [2, 3]),
        ({"command": "getDeviceList", "times": 0}, [1, 2, 3, 4, 5]),
        ({"command": "*", "at": "2s"}, [3]),
        ({"at": "1s", "lasts": "2s"}, [2, 3]),
    ],
)
def test_when_a_fault_strikes(fault: dict[str, object], expected: list[int]) -> None:
    assert struck(fault, 5) == expected


def test_the_dice_are_the_seeds() -> None:
    fault: dict[str, object] = {"command": "getDeviceList", "chance": 0.3}
    hits = struck(fault, 200)
    assert hits == struck(fault, 200)
    assert 30 < len(hits) < 90


def test_a_pause_hangs() -> None:
    pause = Strike(action=Action.PAUSE, at=timedelta(0), lasts=timedelta(seconds=1))
    simulator = Simulator(Scenario(faults=(pause,)), FakeClock())
    assert simulator.handle(Request.to("GET", "/info")) == Hang()
    assert simulator.journal.requests[0].outcome == "hang"


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"\xff\xfe<", b"<a" * 5000, b"<a>" * 5000, b"<!DOCTYPE a>", b"\xef"],
)
def test_hostile_bodies_get_an_answer(body: bytes) -> None:
    play = logged_in()
    for url in ("/webservice", "/command?command=exportVideo"):
        cookie = {"cookie": f"sessionkey={play.key}"}
        outcome = play.simulator.handle(
            Request.to("POST", url, {**XML, **cookie}, body)
        )
        assert isinstance(outcome, SentReply)
        assert b'errorcode="-18"' in outcome.body


def test_a_scenario_file(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(
        """
        seed = 7
        [clock]
        offset = "1m30s"
        [[devices]]
        server = "17167089910108338829"
        device = "3"
        gaps = [{ start = "-5m", end = 2026-11-23T06:00:00Z }]
        [[faults]]
        action = "cut"
        command = "exportVideo"
        after = true
        """
    )
    loaded = load_scenario(file)
    assert loaded.clock.offset == timedelta(seconds=90)
    assert loaded.devices[0].gaps[0].end == START
    assert loaded.faults[0].action is Action.CUT


def test_every_fault_of_a_scenario_file_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(
        """
        sed = 7
        [exports]
        roots = ["V:evidence"]
        [recording]
        lag = 5
        [xml]
        zone = "Europe/Atlantis"
        [[faults]]
        action = "restart"
        """
    )
    with pytest.raises(ConfigError) as caught:
        load_scenario(file)
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 5
    for place in ("sed", "exports.roots.0", "recording.lag", "xml.zone", "faults.0"):
        assert f"{file}: {place}: " in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[exports]\ndisk_speed = "x"',
            """exports.disk_speed: must be a rate such as "100 MB/s", or plain bytes, \
not 'x'""",
        ),
        (
            '[exports]\ndisk_space = "x"',
            """exports.disk_space: must be a size such as "10 GB", or plain bytes, \
not 'x'""",
        ),
        (
            "[exports]\nparallel = []",
            "exports.parallel: must be a whole number, not []",
        ),
        (
            "[exports]\ndisk_sped = 7",
            'exports.disk_sped: is no key here; did you mean "disk_speed"?',
        ),
        (
            '[login]\nfailure = "x"',
            "login.failure: must be 'code', '401', '403', 'no-key' or 'html', not 'x'",
        ),
        ('[[devices]]\nserver = "1"', "devices.0.device: is missing"),
    ],
)
def test_a_fault_of_a_scenario_says_what_to_write(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_scenario(file)
    assert caught.value.problems == [f"{file}: {told}"]


def test_rates_and_sizes_are_written_as_in_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(
        """
        [recording]
        rate = "4 Mbit/s"
        [exports]
        disk_speed = "100 MB/s"
        disk_space = "2 GB"
        """
    )
    found = load_scenario(file)
    assert found.recording.rate == 500_000
    assert found.exports == Scenario().exports.model_copy(
        update={"disk_space": 2_000_000_000}
    )


@pytest.mark.parametrize("content", [b"a = [", b"\xff", b"x" * (2 << 20)])
def test_what_is_no_scenario_is_one_problem(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "scenario.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_scenario(file)
    assert len(caught.value.problems) == 1
    with pytest.raises(ConfigError):
        load_scenario(tmp_path / "missing.toml")


def test_paths_are_taken_apart() -> None:
    assert split(r"v:\a\b") == ("v:", "a", "b")
    assert split(r"\\nas\share\a") == (r"\\nas\share", "a")
    assert split("V:/a/./b") == ("V:", "a", "b")
    for bad in ("", "V:", "V:a", r"\a", r"\\nas", r"\\?\C:\a", "V:\\a\x00", "V:\\a. "):
        with pytest.raises(ValueError, match=r"path|folder"):
            split(bad)
