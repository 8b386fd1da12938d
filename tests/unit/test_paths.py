from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from evidenced.core.errors import BadInput
from evidenced.core.folders.foldernames import MAX_NAME
from evidenced.core.folders.paths import (
    MAX_PATH_UNITS,
    SUFFIX_ROOM,
    PathTemplate,
    below,
    fits,
    nearest,
    with_suffix,
    within,
)
from evidenced.core.ids import FieldValue

ROOT = r"V:\evidence"
SAMPLE = r"V:\evidence\{opened:%Y}\{opened:%m-%d}\{rule}-{id}"
INSTANTS = {
    "opened": datetime(2026, 11, 23, 6, 15, 30, tzinfo=UTC),
    "ended": datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
}


def render(template: str, zone: tzinfo = UTC, /, **values: FieldValue) -> str:
    return PathTemplate.parse(template).render(values, INSTANTS, zone)


def folder(value: FieldValue, template: str = r"V:\evidence\{a}") -> str:
    path = render(template, a=value)
    names = below(path, ROOT)
    assert names is not None
    assert len(names) == 1
    return names[0]


def test_the_contract_s_own_example() -> None:
    path = render(SAMPLE, rule="door-forced", id="01JD")
    assert path == r"V:\evidence\2026\11-23\door-forced-01JD"


def test_local_time_is_that_of_the_zone() -> None:
    kiritimati = ZoneInfo("Pacific/Kiritimati")
    assert render(r"V:\{ended:%Y}\{ended}", kiritimati) == (
        r"V:\2027\2027-01-01_13-30-00"
    )


def test_names_are_those_in_braces_with_and_without_a_format() -> None:
    template = PathTemplate.parse(r"V:\e{{x}}\{opened:%Y}\{site}{door-nr}")
    assert template.names == {"opened", "site", "door-nr"}


def test_templates_are_equal_when_their_text_is() -> None:
    assert PathTemplate.parse(SAMPLE) == PathTemplate.parse(SAMPLE)
    assert PathTemplate.parse(SAMPLE) != PathTemplate.parse(SAMPLE + "x")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (r"V:\e\{{{a}}}", r"V:\e\{x}"),
        (r"V:/e/{a}", r"V:\e\x"),
        (r"V:\\e\\{a}\\", r"V:\e\x"),
        (r"\\nas\share\{a}", r"\\nas\share\x"),
        (r"//nas/share/{a}", r"\\nas\share\x"),
        ("/srv/evidence/{a}", "/srv/evidence/x"),
        (r"\evidence\{a}", r"\evidence\x"),
    ],
)
def test_forms_of_a_path(template: str, expected: str) -> None:
    assert render(template, a="x") == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "column 1: the path must begin with a drive"),
        (r"evidence\{id}", "column 1: the path must begin with a drive"),
        (r"V:evidence\{id}", "column 1: the path must begin with a drive"),
        (r"{drive}\{id}", "column 1: the path must begin with a drive"),
        (r"\\{server}\share\{id}", "column 1: the path must begin with a drive"),
        ("V:\\", "column 4: a folder is missing after 'V:'"),
        (r"\\nas\share", "column 12: a folder is missing"),
        (r"\\?\C:\{id}", "column 1: share name '?' may not contain '?'"),
        (r"\\.\pipe\{id}", "column 1: share name '.' may not end in a dot"),
        (r"V:\e\{id", "column 6: a lone '{'; write '{{'"),
        (r"V:\e\id}", "column 8: a lone '}'"),
        (r"V:\e\{}", "column 6: {} is not a name in braces"),
        (r"V:\e\{a b}", "column 6: {a b} is not a name"),
        (r"V:\e\{a\b}", "column 6: {a\\b} is not a name"),
        (r"V:\e\{id:%Y}", "column 6: {id} takes no format"),
        (r"V:\e\{opened:}", "column 6: '' is not a date format"),
        (r"V:\e\{opened:%1000000000Y}", "column 6: '%1000000000Y' is not a date"),
        (r"V:\e\{opened:%Y%}", "column 6: '%Y%' is not a date format"),
        (r"V:\e\{opened:%s}", "column 6: '%s' is not a date format"),
        (r"V:\e\{opened:%Y\%m}", "column 6: a format stays inside one folder name"),
        ("V:\\e\\{opened:%Y\udc80}", "column 6: {opened:%Y"),
        (r"V:\e\..\{id}", "column 6: folder name '..' may not end in a dot"),
        (r"V:\e \{id}", "column 4: folder name 'e ' may not end in"),
        (r"V:\NUL.txt\{id}", "column 4: folder name 'NUL.txt' is a device"),
        (r"V:\R&D\{id}", "column 4: folder name 'R&D' may not contain '&'"),
        (r"V:\e\a:{id}", "column 6: folder name 'a:' may not contain ':'"),
        ("V:\\e\\\u202e{id}", "column 6: folder name '\\u202e' may not contain"),
        ("V:\\e\\\x00", "column 6: folder name '\\x00' may not contain"),
        ("V:\\" + "x" * 121, "column 4: folder name 'xxx"),
    ],
)
def test_what_is_wrong_in_a_template_is_said_with_its_column(
    template: str, message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        PathTemplate.parse(template)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("Café Zürich 東京", "Café Zürich 東京"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("", "_"),
        ("   ", "_"),
        (".", "_"),
        ("..", "_"),
        ("...  .", "_"),
        (" x. ", "x"),
        ("..\\..\\Windows", "..-..-Windows"),
        ("../../etc", "..-..-etc"),
        ("C:\\Windows", "C--Windows"),
        ("\\\\evil\\share", "--evil-share"),
        ("file.txt:stream", "file.txt-stream"),
        ("a\x00b\r\nc\x7f\x85", "a_b__c__"),
        ("a\u202eb\u200bc\ufeff\u2028", "a_b_c__"),
        ("a\ud800b", "a_b"),
        ('<&>"|?*;', "____-___"),
        ("EVIDEN~1", "EVIDEN-1"),
        ("..\uff3c..\u2215..\u00a5\uff0e\uff0e", ".._.._..___"),
        ("\u2024\u2024\u2025\u2026x", "____x"),
        ("\u037e", "_"),
        ("a\u00a0b", "a b"),
        (("a", "b/c"), "a-b-c"),
        ((), "_"),
    ],
)
def test_values_are_made_safe(value: FieldValue, expected: str) -> None:
    assert folder(value) == expected


@pytest.mark.parametrize(
    "name",
    [
        *(
            "CON",
            "con",
            "Prn",
            "AUX",
            "NUL",
            "COM0",
            "COM9",
            "LPT1",
            "CONIN$",
            "conout$",
        ),
        *("COM\u00b9", "LPT\u00b3", "\uff23\uff2f\uff2e", "conout$"),
        *("NUL.txt", "NUL .txt", "com1.tar.gz"),
    ],
)
def test_devices_are_no_folders(name: str) -> None:
    assert folder(name) == f"_{name}"


def test_a_device_may_come_out_of_two_parts() -> None:
    assert folder("N", r"V:\evidence\CO{a}") == "_CON"
    assert folder("NUL", r"V:\evidence\{a}.txt") == "_NUL.txt"
    assert folder("NUL..", r"V:\evidence\{a}.") == "_NUL"


@pytest.mark.parametrize("name", ["CONSOLE", "COM10", "NULL", "AUX1", "COM", "xCON"])
def test_what_only_looks_like_a_device_stays(name: str) -> None:
    assert folder(name) == name


def test_a_literal_may_not_leave_a_dot_at_the_end() -> None:
    assert folder(" ", r"V:\evidence\x{a}.. ") == "x_"


def test_a_name_without_a_value_is_an_underscore() -> None:
    assert render(r"V:\{missing}") == r"V:\_"


def test_a_format_s_colons_and_slashes_stay_inside_the_folder() -> None:
    assert render(r"V:\{opened:%H:%M %D}") == r"V:\06-15 11-23-26"


def test_a_long_value_ends_in_a_hash_of_the_whole() -> None:
    first, second = folder("x" * 100 + "1"), folder("x" * 100 + "2")
    assert len(first) == len(second) == 80
    assert first != second
    assert first[:71] == second[:71] == "x" * 71


def test_a_value_longer_than_is_read_still_differs_at_its_end() -> None:
    assert folder(" " * 1000 + "a") != folder(" " * 1000 + "b")


def test_a_name_stays_within_255_bytes_for_a_share_on_linux() -> None:
    name = folder("\u6771" * 80, r"V:\evidence\{a}{a}{a}")
    assert len(name.encode()) <= 240


def test_a_path_of_many_long_values_is_shortened_but_not_its_id() -> None:
    deep = "V:\\evidence" + r"\{a}" * 6 + r"\{id}"
    path = render(deep, a="x" * 500, id="0123456789abcdef0123456789abcdef")
    assert len(path) <= MAX_PATH_UNITS - SUFFIX_ROOM
    assert path.endswith("\\0123456789abcdef0123456789abcdef")


def test_a_full_path_leaves_room_for_its_suffix() -> None:
    """A second export of the incident goes to the same path with `-2` behind it."""
    room = MAX_PATH_UNITS - SUFFIX_ROOM
    fixed = "V:\\" + "\\".join(["f" * 40] * 4) + "\\"
    assert len(render(fixed + "g" * (room - len(fixed)))) == room
    with pytest.raises(BadInput, match=f"at most {room} are possible"):
        render(fixed + "g" * (room - len(fixed) + 1))


def test_a_template_too_long_for_any_value_is_its_own_fault() -> None:
    deep = "V:\\evidence" + "\\" + "y" * 120 + r"\{a}" * 20
    with pytest.raises(
        BadInput, match=f"at most {MAX_PATH_UNITS - SUFFIX_ROOM} are possible"
    ):
        render(deep, a="x" * 500)
    assert len(fits(PathTemplate.parse(deep), ROOT)) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"V:\evidence\a", ("a",)),
        (r"V:\evidence\a\b-2", ("a", "b-2")),
        (r"v:/EVIDENCE/a", ("a",)),
        (r"V:\evidence", None),
        (r"V:\evidence-2", None),
        (r"V:\evidence2\a", None),
        (r"V:\evidence\..\a", None),
        (r"V:\evidence\a\..\..\b", None),
        (r"V:\evidence\a:b", None),
        (r"V:\evidence\NUL", None),
        (r"V:\evidence\a.", None),
        (r"V:\evidence\a&b", None),
        ("V:\\evidence\\a\nb", None),
        (r"W:\evidence\a", None),
        (r"\\V\evidence\a", None),
        (r"\evidence\a", None),
        (r"evidence\a", None),
        (r"V:evidence\a", None),
        ("", None),
        ("V:\\evidence\\" + "a\\" * 120, None),
    ],
)
def test_below(path: str, expected: tuple[str, ...] | None) -> None:
    assert below(path, ROOT) == expected
    assert within(path, ROOT) is (expected is not None)


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (r"\\nas\share\a", r"\\NAS\share"),
        (r"\\nas\share\a", "//nas/share/"),
        ("/srv/evidence/a", "/srv/evidence"),
        ("V:\\a", "V:\\"),
    ],
)
def test_roots_of_other_kinds(path: str, root: str) -> None:
    assert within(path, root)


def test_names_that_only_fold_together_elsewhere_are_two() -> None:
    assert not within("V:\\strasse\\x", "V:\\stra\u00dfe")


@pytest.mark.parametrize(
    ("n", "expected"), [(1, r"V:\e\a"), (2, r"V:\e\a-2"), (12, r"V:\e\a-12")]
)
def test_with_suffix(n: int, expected: str) -> None:
    assert with_suffix(r"V:\e\a", n) == expected


@pytest.mark.parametrize(
    ("template", "root", "problem"),
    [
        (SAMPLE, ROOT, None),
        (SAMPLE, "V:/Evidence/", None),
        (SAMPLE, "V:\\", None),
        ("/srv/e/{id}", "/srv/e", None),
        (r"V:\evidence\x", ROOT, None),
        (SAMPLE, "", "must be a folder written out"),
        (SAMPLE, "evidence", "must be a folder written out"),
        (SAMPLE, r"V:\evidence\..", "must be a folder written out"),
        (SAMPLE, r"\\.\evidence", "must be a folder written out"),
        (SAMPLE, r"V:\other", "must begin with the root"),
        (SAMPLE, r"V:\evidence\2026", "must begin with the root"),
        (r"V:\evidence", ROOT, "go on with at least one folder"),
        (r"V:\evi{id}\x", ROOT, "must begin with the root"),
    ],
)
def test_fits(template: str, root: str, problem: str | None) -> None:
    found = fits(PathTemplate.parse(template), root)
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


@pytest.mark.parametrize(
    ("path", "is_within"),
    [
        ("v:\\\u00e9vidence\\x", True),
        ("V:\\\u00e8vidence\\x", False),
        ("V:\\\u00c9vidence\\" + "n" * MAX_NAME + "-99999", True),
        ("V:\\\u00c9vidence\\" + "n" * (MAX_NAME + SUFFIX_ROOM + 1), False),
    ],
)
def test_case_and_suffixes_lead_nowhere_else(path: str, *, is_within: bool) -> None:
    assert within(path, "V:\\\u00c9VIDENCE") is is_within


@pytest.mark.parametrize(("more", "is_within"), [(0, True), (1, False)])
def test_the_longest_path_is_still_within(more: int, *, is_within: bool) -> None:
    path = f"{ROOT}\\{'a' * 110}\\"
    path += "b" * (MAX_PATH_UNITS - len(path) + more)
    assert within(path, ROOT) is is_within


def test_what_does_not_fit_is_said_in_one_sentence() -> None:
    template = PathTemplate.parse(r"V:\evidence\{id}")
    [relative] = fits(template, "evidence")
    assert relative == (
        "root 'evidence' must be a folder written out from its drive (V:\\) or share "
        "(\\\\server\\share\\), without .. and names that Windows refuses"
    )
    [outside] = fits(template, r"V:\else")
    assert outside.endswith(
        "must begin with the root 'V:\\\\else' written out, and go on with at least "
        "one folder below it"
    )


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (
            "evidence",
            (
                "column 1: the path must begin with a drive (V:\\) or a share "
                "(\\\\server\\share\\), the recorder has no folder to start from"
            ),
        ),
        (
            "V:\\",
            "column 4: a folder is missing after 'V:', for example {rule}-{id}",
        ),
        (
            "V:\\{opened:%Y/%m}",
            (
                "column 4: a format stays inside one folder name; write "
                "{opened:%Y}\\{opened:%m} for two"
            ),
        ),
    ],
)
def test_each_fault_says_what_to_write(template: str, says: str) -> None:
    with pytest.raises(BadInput) as fault:
        PathTemplate.parse(template)
    assert str(fault.value) == says


def test_doubled_braces_are_themselves() -> None:
    assert render(r"V:\evidence\a{{b}}c") == r"V:\evidence\a{b}c"


def test_of_several_roots_the_one_that_leads_furthest_is_nearest() -> None:
    roots = [("V:\\", "all"), (r"V:\secret", "inner"), ("W:\\", "other")]
    path = r"V:\secret\panic\1"
    assert nearest(path, roots) == [
        (("panic", "1"), "inner"),
        (("secret", "panic", "1"), "all"),
    ]
    assert nearest(r"X:\1", roots) == []


@pytest.mark.parametrize("door", ["d" * 500, "\u00e9" * 300, "\U0001f6aa" * 90])
def test_the_id_is_never_cut_off(door: str) -> None:
    """Seen: of {rule}-{a}-{id} the end went, where one name got too long."""
    path = render(r"V:\e\alarm-{a}-{a}-{id}", a=door, id="20261123-061530-k3f9qx2a")
    assert path.endswith("-20261123-061530-k3f9qx2a")


def test_a_folder_leaves_room_for_the_recorder_s_own_names() -> None:
    path = render(r"V:\{a}\{a}\{a}\{id}", a="x" * 500, id="20261123-061530-k3f9qx2a")
    uid, at = "9" * 20, "20261123T061500000"
    file = f"{with_suffix(path, 99999)}\\{uid}-{uid}-{at}-{at}.dvn"
    assert len(file) <= 259


def test_a_name_that_is_long_without_values_is_the_template_s_fault() -> None:
    with pytest.raises(BadInput, match="write less around the values"):
        render("V:\\" + "x" * 119 + "{id}", id="20261123-061530-k3f9qx2a")
