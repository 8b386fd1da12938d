"""Whatever stands in an included file: it loads, or its faults are told."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from evidenced.config import load
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
[[rules]]
name = "a"
cameras = ["lobby"]
"""
LINES = st.sampled_from(
    [
        'include = ["other.toml"]',
        'include = ["one.toml"]',
        "include = [[]]",
        "include = 7",
        "rules = 7",
        "rules = [1, {}]",
        "[[rules]]",
        "[rules]",
        'name = "a"',
        'name = "b"',
        "name = 7",
        'topics = ["t/{x}"]',
        'cameras = ["lobby"]',
        'when = "a = b"',
        'clear = ""',
        "[groups]",
        'g = ["lobby"]',
        "groups = 7",
        "[mqtt]",
        "mqtt = 7",
        "qos = 1",
        "[recorders]",
        "[recorders.main]",
        "main = 7",
        "[recorders.main.retry]",
        'first = "1h"',
        'max = "1m"',
        "[recorders.main.password]",
        'env = "OTHER"',
        '"\\u001b[31m" = 7',
        "[unknown]",
        "= 1",
    ]
)
FILES = st.lists(LINES, max_size=8).map("\n".join)


@settings(max_examples=300)
@given(FILES, FILES)
def test_any_included_file_loads_or_is_told(one: str, other: str) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "one.toml").write_text(one)
        (Path(folder) / "other.toml").write_text(other)
        site = Path(folder) / "site.toml"
        site.write_text(f'include = ["one.toml"]\n{SITE}')
        try:
            told = load(site).warnings
        except ConfigError as error:
            told = tuple(error.problems)
            assert told
    for sentence in told:
        assert sentence.isprintable()
        assert "Input should" not in sentence
        assert folder not in sentence or "cannot" in sentence
