"""Several files are one configuration, and every fault names the file it is in."""

import os
from pathlib import Path

import pytest

from evidenced.config import Loaded, load, load_text
from evidenced.config.compile import build_site
from evidenced.config.include import MAX_FILES, MAX_TOTAL
from evidenced.config.shipped import shipped_names
from evidenced.core.alarms.expression import Expression
from evidenced.core.errors import ConfigError

SITE = r"""
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
"""
PANEL = """
[[rules]]
name = "panel"
topics = ["panel/{zone}"]
when = "state == 'on'"
clear = "state == 'off'"
cameras = ["@panel"]
post_roll = "5m"
[[rules]]
name = "panel-tamper"
topics = ["tamper"]
cameras = ["@panel"]
"""
GROUP = '[groups]\npanel = ["lobby"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "panel.toml").write_text(PANEL)
    return tmp_path


def write(folder: Path, text: str, *included: str) -> Path:
    file = folder / "site.toml"
    names = ", ".join(f'"{name}"' for name in included or ["systems/panel.toml"])
    file.write_text(f"include = [{names}]\n{text}")
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file)
    return caught.value.problems


def rules(loaded: Loaded) -> list[str]:
    return [rule.name for rule in loaded.config.rules]


def test_rules_of_an_included_file_come_after_our_own(folder: Path) -> None:
    own = '[[rules]]\nname = "own"\ntopics = ["own"]\ncameras = ["lobby"]\n'
    loaded = load(write(folder, SITE + GROUP + own))
    assert rules(loaded) == ["own", "panel", "panel-tamper"]
    assert loaded.warnings == ()
    places = [rule.place for rule in build_site(loaded.config).rules]
    assert places == [
        "rules[0]",
        "systems/panel.toml: rules[0]",
        "systems/panel.toml: rules[1]",
    ]


def test_a_rule_of_the_same_name_changes_the_included_one(folder: Path) -> None:
    change = (
        '[[rules]]\nname = "panel"\ncameras = ["lobby"]\nclear = ""\n'
        '[[rules]]\nname = "panel-tamper"\nenabled = false\n'
    )
    loaded = load(write(folder, SITE + GROUP + change))
    first, second = loaded.config.rules
    assert first.cameras == ("lobby",)
    assert first.when == Expression.parse("state == 'on'")
    assert first.clear is None
    assert not second.enabled
    assert [rule.name for rule in build_site(loaded.config).rules] == ["panel"]


def test_a_pattern_of_an_included_rule_can_be_taken_away(folder: Path) -> None:
    file = folder / "systems" / "panel.toml"
    file.write_text(PANEL.replace("when", 'format = "text"\npattern = "{a}:"\nwhen'))
    change = '[[rules]]\nname = "panel"\nformat = "json"\npattern = ""\n'
    rule = load(write(folder, SITE + GROUP + change)).config.rules[0]
    assert (rule.format, rule.pattern) == ("json", None)


def test_a_rule_that_is_off_needs_nothing(folder: Path) -> None:
    """The advice of each shipped file: a group for each sensor, none of its name."""
    off = '[[rules]]\nname = "{}"\nenabled = false\ndestination = "none"\n'
    change = off.format("panel") + off.format("panel-tamper")
    loaded = load(write(folder, SITE + change))
    assert build_site(loaded.config).rules == ()


def test_a_fault_in_a_change_is_told_where_it_is_written(folder: Path) -> None:
    change = '[[rules]]\nname = "panel"\ncameras = ["loby"]\nwehn = "x"\n'
    assert problems(write(folder, SITE + GROUP + change)) == [
        'rules[0].wehn: unknown key; did you mean "when"?',
        'rules[0].cameras[0]: there is no camera "loby"; did you mean "lobby"?',
    ]


def test_a_misspelt_name_of_an_included_rule_is_told(folder: Path) -> None:
    change = '[[rules]]\nname = "pannel"\ncameras = ["lobby"]\n'
    (problem,) = problems(write(folder, SITE + GROUP + change))
    assert problem.endswith(
        'is missing; to change an included rule, name it as that: "panel"'
    )


def test_a_fault_of_an_included_file_names_it(folder: Path) -> None:
    file = folder / "systems" / "panel.toml"
    file.write_text(PANEL.replace("== 'on'", "= 'on'"))
    (problem,) = problems(write(folder, SITE + GROUP))
    assert problem.startswith("systems/panel.toml: rules[0].when: expression ")
    file.write_text("[[rules]\n")
    (problem,) = problems(write(folder, SITE + GROUP))
    assert problem.startswith("systems/panel.toml: line 1, column ")
    file.write_text("rules = 7\n")
    assert problems(write(folder, SITE + GROUP)) == [
        "systems/panel.toml: rules: must be written with double brackets, as [[rules]]"
    ]


def test_a_key_in_two_files_is_told_with_both(folder: Path) -> None:
    (folder / "more.toml").write_text(
        '[groups]\npanel = ["lobby"]\n[recorders.main]\nmax_exports = 4\n'
        'username = "other"\n[mqtt]\nqos = 1\n'
    )
    file = write(folder, SITE + GROUP, "systems/panel.toml", "more.toml")
    assert problems(file) == [
        "more.toml: groups.panel: is in site.toml already; write it once",
        "more.toml: recorders.main.username: is in site.toml already; write it once",
    ]


def test_tables_may_be_spread_over_files(folder: Path) -> None:
    (folder / "groups.toml").write_text(GROUP)
    (folder / "tuning.toml").write_text("[recorders.main]\nmax_exports = 4\n")
    file = write(folder, SITE, "groups.toml", "tuning.toml", "systems/panel.toml")
    assert load(file).config.recorders["main"].max_exports == 4


def test_a_rule_in_two_included_files_is_told_with_both(folder: Path) -> None:
    (folder / "other.toml").write_text(PANEL)
    file = write(folder, SITE + GROUP, "systems/panel.toml", "other.toml")
    first = problems(file)[0]
    assert first == (
        'other.toml: rules[0].name: "panel" is the name of a rule in '
        "systems/panel.toml: rules[0] already"
    )


def test_included_files_include_from_where_they_are(folder: Path) -> None:
    (folder / "systems" / "all.toml").write_text('include = ["panel.toml"]\n' + GROUP)
    loaded = load(write(folder, SITE, "systems/all.toml"))
    assert rules(loaded) == ["panel", "panel-tamper"]
    place = build_site(loaded.config).rules[0].place
    assert place == "systems/panel.toml: rules[0]"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"a.toml": 'include = ["b.toml"]', "b.toml": 'include = ["a.toml"]'},
            (
                "b.toml: include[0]: a file cannot include itself: "
                "site.toml > a.toml > b.toml > a.toml"
            ),
        ),
        (
            {"a.toml": 'include = ["site.toml"]'},
            (
                "a.toml: include[0]: a file cannot include itself: "
                "site.toml > a.toml > site.toml"
            ),
        ),
        (
            {"a.toml": 'include = ["systems/panel.toml", "systems/panel.toml"]'},
            (
                'a.toml: include[1]: "systems/panel.toml" is included by "a.toml" '
                "already; include it once"
            ),
        ),
        (
            {"a.toml": "include = 'b.toml'"},
            (
                "a.toml: include: must be a list, each the path of a .toml file in "
                'the same folder or below it, such as "systems/axis.toml"'
            ),
        ),
        (
            {"a.toml": 'include = ["b.toml"]'},
            (
                'a.toml: include[0]: there is no file "b.toml" beside a.toml, none '
                "comes with evidenced either; the files that come with it are "
            ),
        ),
    ],
)
def test_what_cannot_be_included(
    folder: Path, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    (problem,) = problems(write(folder, SITE, "a.toml"))
    assert problem.startswith(said)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd.toml",
        "../x.toml",
        "a/../../x.toml",
        "a",
        ".x.toml",
        "a//b.toml",
        "",
    ],
)
def test_nothing_outside_the_folder_is_read(folder: Path, path: str) -> None:
    (problem,) = problems(write(folder, SITE, path))
    assert problem.startswith("include[0]: must be the path of a .toml file in the")


def test_a_file_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "a.toml").mkdir()
    (folder / "b.toml").write_bytes(b"\xff")
    (folder / "c.toml").symlink_to("nowhere")
    found = problems(write(folder, SITE, "a.toml", "b.toml", "c.toml"))
    assert [problem.split(": ")[0] for problem in found] == [
        "include[0]",
        "include[1]",
        "include[2]",
    ]
    assert "is a folder" in found[0]
    assert "is not UTF-8" in found[1]
    assert "cannot be read: No such file" in found[2]


def test_files_are_bounded_in_number_and_size(folder: Path) -> None:
    many = [f"n{n}.toml" for n in range(MAX_FILES + 1)]
    for name in many:
        (folder / name).write_text("")
    (problem,) = problems(write(folder, SITE, *many))
    assert problem.endswith(f"there are more than {MAX_FILES} included files")
    for n in range(6):
        (folder / f"n{n}.toml").write_text("#" * (MAX_TOTAL * 10 // 42))
    found = problems(write(folder, SITE, *many[:6]))
    assert len(found) == 2
    assert all("larger than" in problem for problem in found)


def test_what_comes_with_evidenced_is_found_without_a_copy(folder: Path) -> None:
    assert "systems/axis.toml" in shipped_names()
    group = '[groups]\naxis = ["lobby"]\n'
    loaded = load(write(folder, SITE + group, "systems/axis.toml"))
    assert rules(loaded)[0].startswith("axis-")
    text = f'include = ["systems/axis.toml"]\n{SITE}{group}'
    assert load_text(text).config == loaded.config


def test_a_copy_beside_the_configuration_counts_instead(folder: Path) -> None:
    (folder / "systems" / "axis.toml").write_text(PANEL)
    loaded = load(write(folder, SITE + GROUP, "systems/axis.toml"))
    assert rules(loaded) == ["panel", "panel-tamper"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_for_others_is_told(folder: Path) -> None:
    (folder / "systems" / "panel.toml").chmod(0)
    (problem,) = problems(write(folder, SITE))
    assert "Permission denied" in problem
