"""A file is read as a whole, or every fault in it is told; nothing else happens."""

import re
from pathlib import Path

import pytest

from evidenced.config import Config, ConfigUnreadable, load, load_text
from evidenced.config.tomlfile import MAX_BYTES
from evidenced.core.errors import ConfigError

MINIMAL = r"""
[mqtt]
url = "mqtts://broker.example"

[recorders.main]
url = "https://sense.example"
username = "export"
password = { env = "SENSE_PASSWORD" }

[cameras.lobby]
server = "1001"
device = "2001"

[destinations.nas]
path = 'V:\evidence\{rule}-{id}'

[[rules]]
name = "panic-button"
topics = ["panic/{zone}"]
cameras = ["lobby"]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    return caught.value.problems


def places(text: str) -> list[str]:
    return [problem.partition(": ")[0] for problem in problems(text)]


def test_the_minimal_configuration_runs_without_a_warning() -> None:
    assert load_text(MINIMAL).warnings == ()


def test_a_file_is_what_its_text_is(tmp_path: Path) -> None:
    file = tmp_path / "evidenced.toml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(file) == load_text(MINIMAL)


def test_equal_files_are_equal_and_others_are_not() -> None:
    same = load_text("# a comment\n" + MINIMAL).config
    assert same == load_text(MINIMAL).config
    assert load_text(MINIMAL.replace("2001", "2002")).config != same


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe[mqtt]", "is not UTF-8 at byte 0; save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "is larger than 16384 KiB"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "evidenced.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigUnreadable, match=re.escape(said)):
        load(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigUnreadable, match="is a folder"):
        load(tmp_path)


def test_a_path_that_is_none() -> None:
    with pytest.raises(ConfigUnreadable):
        load(Path("a\0b"))


@pytest.mark.parametrize(
    "text",
    [
        "a = [" * 5000,
        "a = {b = " * 3000,
        "a = " + "9" * 5000,
        "a = 0x" + "f" * 20000,
        "a = 1979-13-32T00:00:00Z",
        "\x00",
        "[a]\n[a]\n",
        "a.b = 1\na = 2\n",
        "= 1",
        '"',
    ],
)
def test_hostile_toml_is_told_in_one_line(text: str) -> None:
    for problem in problems(text):
        assert problem.isprintable()
        assert len(problem) < 300


def test_all_faults_are_told_at_once() -> None:
    text = (
        MINIMAL.replace("mqtts://", "tcp://")
        .replace('"2001"', "2001")
        .replace('cameras = ["lobby"]', 'cameras = ["lobby", "{zome}", "hall"]')
        .replace("[destinations.nas]", "[destinations.nas]\nmount = 3")
        + 'pre_roll = "soon"\ndestination = "nsa"\n'
        + '[groups]\nentrance = ["loby"]\n[web]\nlisten = "0.0.0.0:80"\nuser = {}\n'
        + '[[rules]]\nname = "panic-button"\ntopics = ["+/{a"]\ncameras = ["hall"]\n'
    )
    assert sorted(places(text)) == [
        "cameras.lobby.device",
        "destinations.nas.mount",
        "groups.entrance[0]",
        "mqtt.url",
        "rules[0].cameras[1]",
        "rules[0].cameras[2]",
        "rules[0].destination",
        "rules[0].pre_roll",
        "rules[1].cameras[0]",
        "rules[1].name",
        "rules[1].topics[0]",
        "web.user",
    ]


@pytest.mark.parametrize(
    ("found", "instead", "place"),
    [
        ('["panic/{zone}"]', '["panic/{zo"]', "rules[0].topics[0]"),
        ('["panic/{zone}"]', "7", "rules[0].topics"),
        ("{rule}-{id}", "{rule-{id}", "destinations.nas.path"),
        ('name = "panic-button"', "name = 7", "rules[0].name"),
        ('server = "1001"', "", "cameras.lobby.server"),
        ("[cameras.lobby]", "[cameras.lobby]\nrecorder = 1", "cameras.lobby.recorder"),
    ],
)
def test_one_fault_causes_no_other(found: str, instead: str, place: str) -> None:
    """Names that a wrong key would have defined or used are not complained about."""
    text = MINIMAL.replace('cameras = ["lobby"]', 'cameras = ["lobby", "{zone}"]')
    assert places(text.replace(found, instead) + 'group_by = ["zone"]\n') == [place]


def test_a_wrong_setting_does_not_make_another_wrong() -> None:
    window = '[[recorders.main.bandwidth_windows]]\nfrom = "8"\nto = "9"\n'
    text = MINIMAL.replace(
        "[cameras", f'auth = "digest"\nnonce = ""\n\n{window}\n[cameras'
    )
    assert places(text) == [
        "recorders.main.nonce",
        "recorders.main.bandwidth_windows[0].from",
        "recorders.main.bandwidth_windows[0].to",
    ]


def test_faults_beyond_a_hundred_are_only_mentioned() -> None:
    text = MINIMAL + "".join(f"k{n} = 1\n" for n in range(5000))
    told = problems(text)
    assert len(told) == 101
    assert told[-1].startswith("and more")


def test_many_unknown_names_end_soon() -> None:
    cameras = "".join(
        f'[cameras.c{n}]\nserver = "1"\ndevice = "{n}"\n' for n in range(3000)
    )
    names = ", ".join(f'"x{n}"' for n in range(1000))
    text = MINIMAL.replace('cameras = ["lobby"]', f"cameras = [{names}]") + cameras
    assert len(problems(text)) == 101


@pytest.mark.parametrize(
    ("found", "instead", "warning"),
    [
        (
            '{ env = "SENSE_PASSWORD" }',
            '"hunter2"',
            (
                "recorders.main.password: is written out in this file; keep it apart "
                'with { credential = "name" } or { file = "/path" }'
            ),
        ),
        (
            '"export"',
            '"Admin"',
            (
                'recorders.main.username: "Admin" may be the factory\'s default '
                "account, which is public knowledge; give the daemon an account of "
                "its own"
            ),
        ),
        (
            "https://sense",
            "http://sense",
            (
                "recorders.main.url: the password goes over the network unencrypted; "
                'use https:// or auth = "digest"'
            ),
        ),
        (
            '"mqtts://broker.example"',
            '"mqtt://broker.example"\nusername = "me"\npassword = { env = "P" }',
            'mqtt.url: the password goes over the network unencrypted; use "mqtts://"',
        ),
        (
            '"mqtts://broker.example"',
            '"mqtts://broker.example"\nqos = 0',
            (
                "mqtt.qos: 0 loses every alarm that is under way when the connection "
                "breaks; write 1"
            ),
        ),
        (
            "[cameras.lobby]",
            '[cameras.hall]\nserver = "1001"\ndevice = "9"\n[cameras.lobby]',
            "cameras.hall: is used by no rule; name it in a rule or in a group of one",
        ),
        (
            'cameras = ["lobby"]',
            (
                'cameras = ["lobby", "h{zone}"]\n'
                '[cameras.hall]\nserver = "1001"\ndevice = "2001"'
            ),
            (
                'cameras.hall: is the same device as the camera "lobby"; '
                "footage would be exported twice"
            ),
        ),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(
    found: str, instead: str, warning: str
) -> None:
    assert load_text(MINIMAL.replace(found, instead)).warnings == (warning,)


def test_what_stays_on_this_host_needs_no_encryption() -> None:
    text = MINIMAL.replace(
        '"mqtts://broker.example"',
        '"mqtt://localhost"\nusername = "me"\npassword = { env = "P" }',
    ).replace("https://sense.example", "http://127.0.0.1:8080")
    assert load_text(text).warnings == ()


def test_a_new_site_can_be_begun_with_its_recorder_only() -> None:
    text = MINIMAL.partition("[cameras")[0]
    assert load_text(text).warnings == (
        "rules: there are none, so no alarm will ever do anything",
    )


@pytest.mark.parametrize(
    ("listen", "is_open"),
    [
        ("127.0.0.1:8470", False),
        ("[::1]:8470", False),
        ("localhost:0", False),
        ("unix:/run/evidenced/control.sock", False),
        ("", False),
        ("0.0.0.0:8470", True),
        ("[::]:8470", True),
        ("192.0.2.7:80", True),
        ("localhost.example:80", True),
    ],
)
def test_a_page_for_others_needs_users(listen: str, *, is_open: bool) -> None:
    text = f'[web]\nlisten = "{listen}"\n{MINIMAL}'
    if is_open:
        assert places(text) == ["web.listen"]
    else:
        load_text(text)
    hashed = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"
    load_text(f'[web.users]\noperator = "{hashed}"\n{text}')


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("mqtt://broker", "broker", 1883),
        ("mqtts://broker", "broker", 8883),
        ("mqtts://192.0.2.1:18883/", "192.0.2.1", 18883),
        ("mqtt://[::1]:1", "::1", 1),
    ],
)
def test_the_broker_by_its_parts(url: str, host: str, port: int) -> None:
    mqtt = load_text(MINIMAL.replace("mqtts://broker.example", url)).config.mqtt
    assert (mqtt.host, mqtt.port) == (host, port)


@pytest.mark.parametrize(
    "url", ["mqtt://", "mqtt://b:0", "mqtt://b:70000", "mqtt://b/x", "mqtt://[::1", "b"]
)
def test_no_address_of_a_broker(url: str) -> None:
    assert places(MINIMAL.replace("mqtts://broker.example", url)) == ["mqtt.url"]


@pytest.mark.parametrize(
    ("keys", "is_digest"),
    [
        ("", False),
        ('nonce = "n"', True),
        ('nonce = "n"\nauth = "digest"', True),
        ('nonce = "n"\nauth = "plain"', False),
    ],
)
def test_a_nonce_means_digest(keys: str, *, is_digest: bool) -> None:
    text = MINIMAL.replace("[cameras", f"{keys}\n[cameras")
    assert load_text(text).config.recorders["main"].is_digest is is_digest


def test_the_session_is_named_after_the_instance() -> None:
    assert load_text(MINIMAL).config.client_id == "evidenced-site-1"
    text = MINIMAL.replace("[mqtt]", '[mqtt]\nclient_id = "other"')
    assert load_text(text).config.client_id == "other"


def test_a_destination_for_nobody_is_a_warning() -> None:
    text = MINIMAL + "destination = 'nas'\n[destinations.old]\npath = 'V:\\old\\{id}'\n"
    assert load_text(text).warnings == (
        "destinations.old: is used by no rule; name it in one",
    )


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("V:\\{id}", "V:\\"),
        ("V:\\evidence\\x-{id}\\a", "V:\\evidence\\"),
        ("V:/evidence/{rule}/{id}", "V:/evidence/"),
        ("\\\\nas\\share\\{id}", "\\\\nas\\share\\"),
        ("/srv/evidence/{id}", "/srv/evidence/"),
    ],
)
def test_the_root_is_what_no_value_can_change(path: str, root: str) -> None:
    text = MINIMAL.replace("V:\\evidence\\{rule}-{id}", path)
    assert load_text(text).config.destinations["nas"].fixed_root == root


@pytest.mark.parametrize(
    "root", ["v:\\EVIDENCE", "V:/evidence", "V:/evidence/", "V:\\"]
)
def test_a_root_in_another_spelling_is_the_same(root: str) -> None:
    line = f"path = 'V:\\evidence\\{{id}}'\nroot = '{root}'"
    load_text(MINIMAL.replace("path = 'V:\\evidence\\{rule}-{id}'", line))


def test_a_captured_name_must_not_be_built_in() -> None:
    text = MINIMAL.replace("{zone}", "{id}")
    assert places(text) == ["rules[0].topics[0]"]


@pytest.mark.parametrize("days", ["mon-sun", "sat-fri", " Mon - Fri , sat,sun"])
def test_days_as_people_write_them(days: str) -> None:
    window = f'from = "22:00"\nto = "22:00"\ndays = "{days}"\npause = true\n'
    text = f"{MINIMAL}\n[[recorders.main.bandwidth_windows]]\n{window}"
    (loaded,) = load_text(text).config.recorders["main"].bandwidth_windows
    assert loaded.days == frozenset(range(7))


def test_a_long_wrong_value_is_cut() -> None:
    (problem,) = problems(MINIMAL.replace("panic-button", "/" * 100_000))
    assert problem.endswith('"')
    assert len(problem) < 250


def test_no_secret_is_ever_shown() -> None:
    marks = ["hunter2", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"]
    text = (
        MINIMAL.replace(
            '"mqtts://broker.example"',
            '"mqtts://broker.example"\nusername = "me"\npassword = "hunter2"',
        ).replace('{ env = "SENSE_PASSWORD" }', '"hunter2"')
        + f'[web.users]\noperator = "{marks[1]}"\n'
    )
    loaded = load_text(text)
    shown = f"{loaded!r} {loaded.config.model_dump()['mqtt']} {loaded.warnings}"
    shown += loaded.config.model_dump_json(exclude={"web"})
    wrong = [
        text.replace('password = "hunter2"', 'password = ["hunter2"]'),
        text.replace('password = "hunter2"', 'password = { word = "hunter2" }'),
        text.replace('password = "hunter2"', 'passwort = "hunter2"'),
        text.replace('password = "hunter2"', 'password = "hunter2'),
        text.replace("mqtts://", "mqtts://me:hunter2@"),
        text.replace("mqtts://", "tcp://me:hunter2@"),
        text.replace(marks[1], "hunter2"),
        "mqtt = 'hunter2'",
        "recorders.main = 'hunter2'",
    ]
    for each in wrong:
        shown += " ".join(problems(each))
    assert not [mark for mark in marks if mark in shown]


def test_every_secret_is_found() -> None:
    text = MINIMAL.replace(
        '"mqtts://broker.example"',
        '"mqtts://broker.example"\nusername = "me"\npassword = { env = "P" }',
    )
    config: Config = load_text(text).config
    assert [place for place, _ in config.secrets()] == [
        ("mqtt", "password"),
        ("recorders", "main", "password"),
    ]
