"""Commands, options and links in any document are those that there are."""

import re
from pathlib import Path

import pytest

from fakes.documents import (
    DOCUMENTS,
    LINK,
    ROOT,
    anchors,
    blocks,
    commands,
    faults_of,
    prose,
    spans,
)

LOG_LINES = {"evidenced died of a fault of its own"}
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_commands_and_options_are_there(document: Path) -> None:
    text = document.read_text()
    lines = [line for block in blocks(text) for line in block.splitlines()]
    lines += [span for span in spans(text) if span not in LOG_LINES]
    families = {words[0] for words in commands() if words}
    lines += [
        f"evidenced {span}"
        for span in spans(text)
        if span.split()[0] in families and " --" in span
    ]
    assert [fault for line in lines for fault in faults_of(line)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(document: Path) -> None:
    lost = []
    for link in LINK.findall(prose(document.read_text())):
        name, _, anchor = link.partition("#")
        file = document.parent / name if name else document
        if re.match(r"https?:", link):
            continue
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("evidenced chek -c FILE", "there is no command chek"),
        ("check && evidenced run --online", "evidenced run takes no --online"),
        ("sudo evidenced incidents list --helt", "evidenced incidents list takes no"),
        (".venv/bin/evidenced demo --stays", "evidenced demo takes no --stays"),
    ],
)
def test_what_is_wrong_would_be_found(line: str, fault: str) -> None:
    [found] = faults_of(line)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    "line",
    [
        "evidenced --url https://x.example --user anna incidents list",
        "evidenced alarms --outcome silenced",
        "psql -d evidenced -c 'TRUNCATE deliveries'",
        "systemctl status evidenced   3 waiting",
    ],
)
def test_what_is_right_is_left_alone(line: str) -> None:
    assert list(faults_of(line)) == []
