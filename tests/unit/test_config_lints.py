"""Warnings about rules that are valid and cannot do what they are for."""

import re

import pytest

from evidenced.config import load_text
from fakes.listening import loaded

SITE = r"""
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://sense.example"
username = "export"
password = {{ env = "SENSE_PASSWORD" }}
nonce = "n"
{recorder}
[cameras.lobby]
server = "1001"
device = "2001"
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
{rules}
"""
RULE = '[[rules]]\nname = "{}"\ntopics = ["{}"]\ncameras = ["lobby"]\n{}\n'


def warnings(*rules: tuple[str, str], recorder: str = "") -> tuple[str, ...]:
    names = ("first", "second", "third")
    texts = [RULE.format(n, *rule) for n, rule in zip(names, rules, strict=False)]
    return load_text(SITE.format(recorder=recorder, rules="".join(texts))).warnings


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            "when = \"`1` == '1' && state == 'b'\"",
            (
                "rules[0].when: never holds, so the rule takes no message as an alarm; "
                "try it with evidenced explain"
            ),
        ),
        (
            'when = "on == `1`"\nclear = "`false`"',
            (
                "rules[0].clear: never holds, so nothing ends its incidents; try it "
                "with evidenced explain"
            ),
        ),
        (
            'format = "text"\nwhen = "state == \'ON\'"',
            (
                "rules[0].when: never holds, so the rule takes no message as an alarm; "
                'with format = "text" expressions see only payload; '
                "what the topic says is topic() and captured('name')"
            ),
        ),
        (
            'format = "text"\npattern = "zone {zone}"\ntime = "at"\ntimezone = "UTC"',
            (
                'rules[0].time: never gives anything; with format = "text" expressions '
                "see only payload, zone; "
                "what the topic says is topic() and captured('name')"
            ),
        ),
        (
            'when = "contact == false"',
            (
                "rules[0].when: compares with a key of the payload that is called "
                "false; write `false` in backquotes for the value"
            ),
        ),
        (
            "when = 'state == \"active\"'",
            (
                "rules[0].when: compares with a key of the payload that is called "
                "\"active\"; write 'active' in single quotes for the text"
            ),
        ),
        (
            'clear_within = "1h"',
            (
                "rules[0].clear_within: has no effect without clear; add that or leave "
                "it out"
            ),
        ),
        (
            'when = "on == `1`"\nclear = "on == `0`"\nclear_within = "0s"',
            (
                "rules[0].clear_within: waits for ever: an alarm whose clear is lost "
                "is exported for ever, one cut after the other; write how long, such "
                'as "1h"'
            ),
        ),
        (
            'when = "`true`"\nclear = "off == `1`"',
            (
                "rules[0].clear: is never reached, because when holds for every "
                "message; narrow that"
            ),
        ),
        (
            'clear = "off == `1`"\npre_roll = "10m"\nmax_length = "5m"',
            (
                "rules[0].max_length: is shorter than pre_roll: an alarm that goes on "
                "becomes very many incidents; make it longer"
            ),
        ),
        (
            'alert_after = "25h"',
            (
                "rules[0].alert_after: 1d1h is later than retry.give_up (1d): nothing "
                "is late any more by then; make it shorter"
            ),
        ),
    ],
)
def test_a_rule_that_cannot_work_is_told(keys: str, told: str) -> None:
    assert warnings(("panel/{x}", keys)) == (told,)


@pytest.mark.parametrize(
    "keys",
    [
        "when = \"state == 'a' || state == 'b'\"",
        "when = \"a == 'x' && b == 'y'\"",
        "when = \"'x' == state\"",
        'when = "level > `5`"',
        "when = \"level > '5'\"",
        "when = '\"motion-bool\" == `1`'",
        "when = '\"state\" == other'",
        'when = "contact == `false`"',
        'when = "true"',
        'when = "a[0:1]"',
        'when = "!x"\nclear = "x == `1`"',
        'format = "text"\nwhen = "payload == \'ON\'"',
        'format = "text"\nwhen = "@"',
        'format = "text"\nwhen = "zone.not_null(\'x\')"',
        'format = "text"\npattern = "zone {zone}"\nwhen = "zone"',
        'format = "text"\nwhen = "!missing"',
        'enabled = false\nwhen = "`false`"',
    ],
)
def test_what_may_hold_is_left_alone(keys: str) -> None:
    assert warnings(("panel", keys)) == ()


def rule_warnings(keys: str, topic: str = "panel/{door}", more: str = "") -> list[str]:
    """What is said of one rule's expressions, and of conditions."""
    found = loaded(
        f'[[rules]]\nname = "r"\ntopics = ["{topic}"]\ncameras = ["lobby", "yard"]\n'
        f"{keys}\n{more}"
    )
    return [str(each).partition(": ")[2] for each in found.warnings]


NEVER = "a comparison never holds: "


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("'payload == `1`'", "payload is a text, `1` is a number; write '1'"),
        (
            "'payload == `true`'",
            "payload is a text, `true` is true or false; write 'true'",
        ),
        ("'`1` == payload'", "payload is a text, `1` is a number; write '1'"),
        (
            "\"payload == 'open '\"",
            "payload has no white space at its ends, 'open ' has",
        ),
        (
            "\"captured('door') == `3`\"",
            "captured() is a text, `3` is a number; write '3'",
        ),
        ("\"topic() == 'x/1'\"", "no topic of the rule is 'x/1'"),
        (
            "\"lower(payload) == 'Open'\"",
            "lower() never gives 'Open'; write 'open'",
        ),
        (
            "\"upper(payload) == 'open'\"",
            "upper() never gives 'open'; write 'OPEN'",
        ),
        (
            "\"to_number(payload) == '5'\"",
            "to_number() is a number, '5' is a text; write `5`",
        ),
        (
            "\"!payload == 'open'\"",
            "what ! makes is true or false, 'open' is a text; write != in place of !",
        ),
        (
            "\"type(payload) == 'text'\"",
            "type() gives one of array, boolean, null, number, object, string",
        ),
        (
            '"bits(payload) == `{}`"',
            "bits() is a list, `{}` is an object",
        ),
    ],
)
def test_a_comparison_that_never_holds_is_told(keys: str, told: str) -> None:
    found = rule_warnings(f'format = "text"\nwhen = {keys}')
    assert found == [NEVER + told]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            "\"a == 'x' && a == 'y'\"",
            "&& never holds: a is not 'x' and 'y' at once; write || for or",
        ),
        (
            "\"contains(bits(a), '3')\"",
            "contains() never holds: bits() gives numbers, '3' is a text; write `3`",
        ),
        (
            "\"contains(split(a, ','), `3`)\"",
            "contains() never holds: split() gives texts, `3` is a number; write '3'",
        ),
        (
            "\"captured('what') == 'shut'\"",
            NEVER + "{what} is one of closed, open",
        ),
        (
            "'length(a) != `\"5\"`'",
            "a comparison always holds: length() is a number, '5' is a text; write `5`",
        ),
        (
            "'a == True'",
            (
                "compares with a key of the payload that is called True; write `true` "
                "in backquotes for the value"
            ),
        ),
    ],
)
def test_what_comes_out_the_same_for_every_message_is_told(
    keys: str, told: str
) -> None:
    topic = "panel/{door}/{what:open|closed}"
    assert rule_warnings(f"when = {keys}", topic) == [told]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ("alarm", ["alarm"]),
        ("data.alarm", []),
        ("alarm && tamper", ["alarm", "tamper"]),
        ("alarm || state == 'x'", ["alarm"]),
        ('"alarm-on"', ['"alarm-on"']),
        ("tags && contains(tags, 'alarm')", []),
        ("linkquality && contact == `false`", []),
        ("!alarm", []),
        ("alarm == `1` && !tamper", []),
    ],
)
def test_keys_that_are_true_by_themselves_are_told(keys: str, names: list[str]) -> None:
    told = [
        f"{name} by itself holds for 0, '0' and 'false' too; compare it, as in "
        f"{name} == `1` or {name} == `true`"
        for name in names
    ]
    assert rule_warnings(f"when = '''{keys}'''") == told


def test_conditions_are_looked_at_like_rules() -> None:
    table = '[conditions.armed]\ntopic = "a"\n'
    assert rule_warnings("", more=f'{table}when = "armed"')[-1].startswith(
        "armed by itself holds for 0"
    )
    text = f"{table}format = \"text\"\nwhen = 'payload == `1`'"
    assert rule_warnings("", more=text)[-1] == (
        f"{NEVER}payload is a text, `1` is a number; write '1'"
    )


def test_rolls_of_a_camera_in_a_group_are_told_once() -> None:
    more = """[cameras.gate]
server = "1001"
device = "2009"
pre_roll = "10s"
[groups]
entrance = ["gate"]
[[rules]]
name = "s"
topics = ["s"]
cameras = ["@entrance", "gate"]
"""
    [told] = rule_warnings("", more=more)
    assert told.startswith('10s cuts the 30s of rule "s" shorter')


_HOST_S_TIME = "read in the local time of this host, whatever that is; write timezone"


@pytest.mark.parametrize("key", ["time", "until"])
def test_times_that_may_say_no_zone_are_told_once_for_all_rules(key: str) -> None:
    reads = f'{key} = "at"'
    told = (
        f"rules[0].{key}: a time that says no zone is {_HOST_S_TIME}, here or for all "
        "below [daemon]"
    )
    assert warnings(("a", reads), ("b", reads)) == (told,)


@pytest.mark.parametrize("key", ["time", "until"])
def test_a_form_of_times_without_zone_is_told_of_each_rule(key: str) -> None:
    reads = f'{key} = "at"\ntime_format = "%H:%M %d.%m.%Y"'
    told = f"rules[{{}}].time_format: has no zone, so times are {_HOST_S_TIME}"
    assert warnings(("a", reads), ("b", reads)) == (told.format(0), told.format(1))


@pytest.mark.parametrize(
    "keys",
    [
        'time = "at"\ntimezone = "Europe/Amsterdam"',
        'time = "at"\ntime_format = "%d.%m.%Y %H:%M %z"',
        'time_format = "%d.%m.%Y %H:%M"',
        'enabled = false\ntime = "at"',
    ],
)
def test_times_whose_zone_is_known_are_left_alone(keys: str) -> None:
    assert warnings(("a", keys)) == ()


def test_the_daemon_s_zone_is_every_rule_s() -> None:
    rule = RULE.format("r", "t", 'time = "at"\ntime_format = "%H:%M %d.%m.%Y"')
    text = SITE.format(recorder="", rules=rule)
    zone = '[daemon]\ntimezone = "Europe/Amsterdam"\n'
    assert load_text(zone + text).warnings == ()


def test_groups_and_cameras_that_nothing_uses_are_told_once() -> None:
    extra = (
        '[cameras.hall]\nserver = "1001"\ndevice = "2002"\n'
        '[cameras.attic]\nserver = "1001"\ndevice = "2003"\n'
        '[groups]\nold = ["hall", "@older"]\nolder = ["lobby"]\n'
        'outer = ["@inner"]\ninner = ["lobby"]\n'
    )
    rule = '[[rules]]\nname = "r"\ntopics = ["t"]\ncameras = ["@outer"]\n'
    text = SITE.format(recorder="", rules=extra + rule)
    assert load_text(text).warnings == (
        "cameras.attic: is used by no rule; name it in a rule or in a group of one",
        'groups.old: is used by no rule; name it in one ("@old")',
        'groups.older: is used by no rule; name it in one ("@older")',
    )


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("", ()),
        (
            'clear = "off == `1`"\nmax_length = "25h"',
            (
                (
                    "rules[0].max_length: makes windows longer than the recorder keeps "
                    "footage (retention 1d): their start is gone before their end; "
                    "make it shorter"
                ),
            ),
        ),
        ('max_length = "25h"', ()),
        (
            'pre_roll = "1d"',
            (
                (
                    "rules[0].pre_roll: makes windows longer than the recorder keeps "
                    "footage (retention 1d): their start is gone before their end; "
                    "make it shorter"
                ),
            ),
        ),
        (
            'post_roll = "1d"',
            (
                (
                    "rules[0].post_roll: makes windows longer than the recorder keeps "
                    "footage (retention 1d): their start is gone before their end; "
                    "make it shorter"
                ),
            ),
        ),
        (
            'max_age = "2d"',
            (
                (
                    "rules[0].max_age: 2d is longer than the recorder keeps footage "
                    "(retention 1d); write at most that"
                ),
            ),
        ),
    ],
)
def test_what_is_gone_before_it_is_asked_for(keys: str, told: tuple[str, ...]) -> None:
    assert warnings(("t", keys), recorder='retention = "1d"') == told
    assert warnings(("t", keys)) == ()


def test_giving_up_after_the_footage_is_gone_is_told() -> None:
    recorder = 'retention = "12h"'
    assert warnings(("t", ""), recorder=recorder) == (
        (
            "recorders.main.retry.give_up: 1d is longer than the recorder keeps "
            "footage (retention 12h); nothing is there any more by then"
        ),
    )


def test_of_several_recorders_the_one_that_keeps_longest_counts() -> None:
    annex = (
        'retention = "1d"\n[recorders.annex]\nurl = "https://annex.example"\n'
        'username = "export"\npassword = {{ env = "P" }}\nnonce = "n"\n{}\n'
        '[cameras.hall]\nrecorder = "annex"\nserver = "1"\ndevice = "2"'
    )
    rule = (
        '[[rules]]\nname = "r"\ntopics = ["t/{x}"]\ncameras = ["{x}"]\nmax_age = "2d"\n'
    )
    lobby = "[cameras.lobby]"

    def told(kept: str) -> tuple[str, ...]:
        text = SITE.format(recorder=annex.format(kept), rules=rule)
        return load_text(text.replace(lobby, f'{lobby}\nrecorder = "main"')).warnings

    assert told('retention = "9d"') == ()
    assert told("") == ()
    assert [each.split(":")[0] for each in told('retention = "36h"')] == [
        "rules[0].max_age"
    ]


PAUSE = '[[recorders.main.bandwidth_windows]]\nfrom = "{}"\nto = "{}"\npause = true\n'


@pytest.mark.parametrize(
    ("windows", "told"),
    [
        ([("08:00", "18:00")], ()),
        ([("18:00", "08:00")], ("no export starts for 14h, and the recorder keeps",)),
        ([("00:00", "08:00"), ("18:00", "00:00")], ("no export starts for 14h",)),
        ([("06:00", "06:00")], ("no export may ever start; make the pauses shorter",)),
    ],
)
def test_a_pause_that_outlasts_the_footage_is_told(
    windows: list[tuple[str, str]], told: tuple[str, ...]
) -> None:
    pauses = "".join(PAUSE.format(*each) for each in windows)
    retry = '[recorders.main.retry]\ngive_up = "1h"\n'
    found = warnings(
        ("t", 'max_length = "1h"\nalert_after = "30m"'),
        recorder=f'retention = "12h"\n{retry}{pauses}',
    )
    assert len(found) == len(told)
    for text, begin in zip(found, told, strict=True):
        assert text.startswith(f"recorders.main.bandwidth_windows: {begin}")


def two_recorders(path: str) -> str:
    more = (
        '[recorders.annex]\nurl = "https://annex.example"\nusername = "export"\n'
        'password = {{ env = "P" }}\nnonce = "n"\n'
        '[cameras.hall]\nrecorder = "annex"\nserver = "1"\ndevice = "2"\n'
    )
    rule = '[[rules]]\nname = "r"\ntopics = ["t"]\ncameras = ["lobby", "hall"]\n'
    text = SITE.format(recorder=more.format(), rules=rule)
    text = text.replace("[cameras.lobby]", '[cameras.lobby]\nrecorder = "main"')
    return text.replace("{rule}-{id}", path)


def test_two_recorders_whose_folders_have_one_name_are_told() -> None:
    assert load_text(two_recorders("{id}-{recorder}")).warnings == ()
    assert load_text(two_recorders("{id}")).warnings == (
        (
            'destinations.nas.path: rule "r" exports from several recorders (annex, '
            "main), and their folders differ by a number only; add {recorder}"
        ),
    )


def test_rolls_of_a_camera_that_leave_no_length_are_told() -> None:
    text = SITE.format(
        recorder="",
        rules='[[rules]]\nname = "r"\ntopics = ["t"]\ncameras = ["lobby"]\n'
        'pre_roll = "0s"\n',
    )
    short = text.replace('device = "2001"', 'device = "2001"\npost_roll = "0s"')
    assert load_text(text).warnings == ()
    assert any(
        each == 'cameras.lobby.post_roll: leaves its windows for rule "r" no length, '
        "and 1s is exported; make a roll longer"
        for each in load_text(short).warnings
    )


def test_a_path_without_a_drive_is_told() -> None:
    rule = '[[rules]]\nname = "r"\ntopics = ["t"]\ncameras = ["lobby"]\n'
    text = SITE.format(recorder="", rules=rule)
    assert load_text(text).warnings == ()
    [told] = load_text(text.replace("V:\\", "\\")).warnings
    assert told.startswith("destinations.nas.path: begins with one backslash")


@pytest.mark.parametrize(
    ("nonce", "is_told"), [("...", True), ("<xx>", True), ("AR5chs", False)]
)
def test_a_nonce_that_stands_for_one_is_told(nonce: str, *, is_told: bool) -> None:
    rule = RULE.format("first", "t", "")
    text = SITE.format(recorder="", rules=rule)
    found = load_text(re.sub('nonce = "[^"]*"', f'nonce = "{nonce}"', text)).warnings
    told = f'recorders.main.nonce: "{nonce}" stands for one in examples'
    assert any(each.startswith(told) for each in found) is is_told
