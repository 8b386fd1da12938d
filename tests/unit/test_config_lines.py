"""The line that a fault of the configuration is told with."""

from pathlib import Path

import pytest

from evidenced.config.lines import line_of
from fakes.drawing import ROOT

TEXT = '''\
# a comment with [brackets] = 1
include = ["systems/axis.toml"]
daemon.instance = "a"

[mqtt]
url = "mqtt://x"   # [not] a table
password = { file = "/x" }

[[rules]]
name = "one"
topics = [
  "a/{b}",  # ]
  "c",
]
when = """
  x = 1
"""

[[rules]]
name = "two"
[rules.fields]
"odd key" = "a.b"
[recorders."main one".retry]
first = "1s"
[[recorders.main.bandwidth_windows]]
from = "08:00"
[[recorders.main.bandwidth_windows]]
from = "09:00"
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("include[0]", 2),
        ("daemon.instance", 3),
        ("mqtt", 5),
        ("mqtt.url", 6),
        ("mqtt.password.file", 7),
        ("mqtt.inflight", 5),
        ("rules[0]", 9),
        ("rules[0].topics[1]", 11),
        ("rules[0].when", 15),
        ("rules[1].name", 20),
        ("rules[1].fields.odd key", 22),
        ("rules[1].cameras", 19),
        ("recorders.main one.retry.first", 24),
        ("recorders.main.bandwidth_windows[1].from", 28),
        ("cameras", None),
        ("", None),
    ],
)
def test_where_a_place_stands(place: str, line: int | None) -> None:
    assert line_of(TEXT, place) == line


@pytest.mark.parametrize(
    "text", ["", "[", "= = =", '"""', "[[a]]\n[[a.b]]\n[a.b.c", "\0"]
)
def test_whatever_stands_in_the_file(text: str) -> None:
    line_of(text, "a[0].b[0].c")


def test_the_example_has_every_place() -> None:
    text = Path(ROOT, "config", "evidenced.example.toml").read_text()
    assert line_of(text, "mqtt.url") == text[: text.index("\nurl = ")].count("\n") + 2
