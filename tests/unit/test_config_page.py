"""What config/README.md says of expressions, payloads and times, as it says it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.functions import Context, OwnFunctions
from evidenced.core.alarms.jsontext import read_json
from evidenced.core.alarms.moment import read_moment

PAGE = (Path(__file__).parents[2] / "config" / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `+(.+?)`+ \| (.*) \| `(.*)` \|$", re.MULTILINE)


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


ROWS = ROW.findall(section("Expressions"))


@pytest.mark.parametrize(("text", "over", "gives"), ROWS)
def test_an_expression_gives_what_the_page_says(
    text: str, over: str, gives: str
) -> None:
    *_, given = re.findall(r"`(\{.*\})`", over) or ["{}"]
    payload = read_json(given if given.startswith('{"') else "{}")
    context = Context("access/north", {"door": "north"}, payload)
    found = Expression.parse(text).evaluate(payload, context)
    assert found == json.loads(gives)


def test_the_page_has_every_function_of_ours() -> None:
    ours = {name for name in vars(OwnFunctions) if name.startswith("_func_")}
    shown = {row[0].split("(")[0] for row in ROWS}
    assert shown == {name.removeprefix("_func_") for name in ours}


def test_times_are_read_as_the_page_says() -> None:
    texts = re.findall(r"`([^`]*)`", section("What devices get wrong"))
    times = [text for text in texts if len(text) > 12 and re.search(r"\d", text)]
    assert len(times) > 6
    for text in times:
        moment = read_moment(
            text,
            received_at=datetime(2026, 11, 30, 23, tzinfo=UTC),
            absence=timedelta(0),
            zone=UTC,
        )
        assert not moment.is_from_receipt, text
        assert (moment.at.minute, moment.at.second) == (5, 1), text


def test_json_is_read_as_the_page_says() -> None:
    texts = re.findall(r"`([^`]*)`", section("What devices get wrong"))
    for text in texts[: texts.index("{state: open}")]:
        assert isinstance(read_json(f'{{"s": "on", "x": {text}}}'), dict), text
    assert read_json("{state: open}") == {"state": "open"}
