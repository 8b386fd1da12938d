"""systemd/README.md says what to do about whatever an administrator may see."""

import ast
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from evidenced.core.errors import Reason
from evidenced.core.incidents.states import ClipState, ExportState, IncidentState
from evidenced.core.keeping.evidence import RecordState
from evidenced.core.keeping.tag import TagState
from evidenced.core.telling.advice import ADVICE
from evidenced.metrics import Metrics

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daemon" / "evidenced"
LOUD = {"warning", "error", "exception", "critical"}
NOT_THE_DAEMON = {"simulator", "demo"}
HEADINGS = {
    IncidentState: "States of incidents",
    ClipState: "States of clips",
    ExportState: "States of export requests",
    Reason: "Reasons",
    RecordState: "States of evidence records",
    TagState: "States of tags",
}
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def rows(heading: str) -> set[str]:
    text = (ROOT / "systemd" / "README.md").read_text()
    sections = dict(
        part.split("\n", 1) for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    )
    return {row[1] for row in ROW.finditer(sections[heading])}


@pytest.mark.parametrize("words", HEADINGS)
def test_every_state_and_reason_has_its_row(words: type[StrEnum]) -> None:
    assert rows(HEADINGS[words]) == {word.value for word in words}


def test_the_page_and_messages_say_what_the_runbook_says() -> None:
    text = (ROOT / "systemd" / "README.md").read_text()
    section = text.partition("### Reasons")[2].partition("### ")[0]
    told = {row[1]: row[3].strip() for row in ROW.finditer(section)}
    assert told == {reason.value: words for reason, words in ADVICE.items()}


def test_every_metric_has_its_row() -> None:
    names = {
        f"{metric.name}{ {'counter': '_total', 'info': '_info'}.get(metric.type, '') }"
        for metric in Metrics("1").registry.collect()
    }
    assert rows("Metrics") == names


def exposed() -> set[str]:
    """Every series of /metrics by its name, without the suffixes of histograms."""
    return {
        sample.name.removesuffix("_bucket")
        for metric in with_samples().registry.collect()
        for sample in metric.samples
    }


def with_samples() -> Metrics:
    metrics = Metrics("1")
    for metric, labels in (
        (metrics.alarms, ("rule", "opened")),
        (metrics.incidents, ("failed",)),
        (metrics.limited, ("incidents_per_rule", "panic")),
        (metrics.notifications, ("duty", "sent")),
        (metrics.exports, ("main", "exported")),
        (metrics.answers, ("main", "0")),
        (metrics.recorder_up, ("main",)),
        (metrics.evidence_records, ("written",)),
        (metrics.share_up, ("nas",)),
        (metrics.node_up, ("a",)),
        (metrics.recorders_held, ("a",)),
        (metrics.tags, ("main", "confirmed")),
        (metrics.recorder_clock_offset_seconds, ("main",)),
    ):
        metric.labels(*labels)
    return metrics


@pytest.mark.parametrize("file", ["alerts.yml", "grafana-dashboard.json"])
def test_alerts_and_dashboard_ask_for_metrics_that_exist(file: str) -> None:
    text = (ROOT / "systemd" / file).read_text()
    asked = {
        name.removesuffix("_bucket")
        for name in re.findall(r"\bevidenced_[a-z_]+", text)
    }
    assert asked <= exposed()
    assert {f"evidenced_{name}" for name in ("incidents", "mqtt_connected")} <= asked


def test_every_metric_but_the_version_has_an_alert() -> None:
    text = (ROOT / "systemd" / "alerts.yml").read_text()
    unheard = {
        name for name in rows("Metrics") if name not in text and "build" not in name
    }
    assert unheard == set()


def test_every_metric_is_on_the_dashboard() -> None:
    text = (ROOT / "systemd" / "grafana-dashboard.json").read_text()
    assert {name for name in rows("Metrics") if name not in text} == set()


def test_the_dashboard_is_json_with_panels_apart() -> None:
    board = json.loads((ROOT / "systemd" / "grafana-dashboard.json").read_text())
    places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
    assert len(places) == len(set(places)) > 10


def loud_texts(source: str) -> Iterator[str]:
    """Constant texts of warnings and errors: log.warning("..."), and others' like.

    `log("...")` is how a first failure warns and its repetition does not; `_tell_once`
    is a method of intake.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=owner, attr=level),
                args=[ast.Constant(value=str(text)), *_],
            ) if level in LOUD and "log" in ast.unparse(owner):
                yield text
            case ast.Call(
                func=ast.Name(id="log") | ast.Attribute(attr="_tell_once"),
                args=[ast.Constant(value=str(text)), *_],
            ):
                yield text
            case _:
                pass


def test_every_warning_has_its_row() -> None:
    texts = {
        text
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in NOT_THE_DAEMON
        for text in loud_texts(path.read_text())
    }
    assert len(texts) > 15
    told = rows("Warnings and errors in the log")
    assert texts <= told, "say in systemd/README.md what to do"


def test_no_row_is_about_a_warning_that_is_gone() -> None:
    source = "".join(
        "".join(re.findall(r'"([^"\n]*)"', path.read_text()))
        for path in PACKAGE.rglob("*.py")
    )
    told = rows("Warnings and errors in the log")
    assert [text for text in told if text not in source] == []


def test_what_is_looked_for_would_be_found() -> None:
    source = (
        'self._log.warning("a", x=1)\nlog("b")\n'
        'structlog.get_logger().exception("c")\nlog.info("d")\nprint("e")\n'
        'self._tell_once("f", why)\n'
    )
    assert sorted(loud_texts(source)) == ["a", "b", "c", "f"]
