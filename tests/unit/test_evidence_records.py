"""Evidence records as values: which folders, when, and what stands in them."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.states import ClipState, ExportState
from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import (
    Care,
    HashedFile,
    Record,
    RecordState,
    SeenFile,
    Survey,
)
from evidenced.core.telling.manifest import encode
from evidenced.core.telling.objects import exact
from evidenced.core.trust import exactly
from fakes.evidence import exported
from fakes.incident import ended, requested, t

CARE = Care(stable=timedelta(seconds=10), patience=timedelta(hours=1))
PATH = r"V:\evidence\i1"


def a_record() -> Record:
    return evidence.want_again(None, IncidentId("i1"), t("12:00"))


def a_survey(size: int = 1) -> Survey:
    return Survey(files=(SeenFile(name="a", size=size, modified_ns=1),))


def test_a_record_is_wanted_with_each_clip_and_at_the_end() -> None:
    before, export = requested(ended())
    steps = exported(before, export, now=t("12:09"))
    done = steps[-1].after
    assert not evidence.brings_more(None, before)
    assert evidence.brings_more(before, done)
    assert not evidence.brings_more(done, replace(done, is_late_told=True))
    assert evidence.brings_more(replace(done, finished_at=None), done)
    assert evidence.brings_more(None, done)
    assert evidence.folders_of(done, [steps[-1].exports[0]]) == {PATH: True}


@pytest.mark.parametrize(
    ("state", "must"),
    [
        (ExportState.EXPORTED, True),
        (ExportState.FAILED, False),
        (ExportState.CANCELLED, False),
        (ExportState.VANISHED, None),
        (ExportState.REFUSED, None),
    ],
)
def test_folders_with_footage_are_those_of_clips_that_are_there(
    state: ExportState, must: bool | None
) -> None:
    before, export = requested(ended())
    steps = exported(before, export, now=t("12:09"))
    done, over = steps[-1].after, replace(steps[-1].exports[0], state=state)
    wanted = {} if must is None else {PATH: must}
    assert evidence.folders_of(done, [over]) == wanted
    assert evidence.folders_of(done, [replace(over, finished_at=None)]) == {}
    lost = done.with_clips(replace(done.clips[0], state=ClipState.MISSING))
    assert evidence.folders_of(lost, [over]) == {}


def test_footage_is_looked_at_until_nothing_changes() -> None:
    needed, record = {PATH: True}, a_record()
    seen: list[object] = []
    looks = [(None, 0), (a_survey(1), 10), (a_survey(2), 20), (a_survey(2), 30)]
    for survey, at in looks:
        now = t("12:00") + timedelta(seconds=at)
        after = evidence.look_at(record, {PATH: survey}, needed, CARE, exactly(now))
        seen.append(None if after is None else after.message)
        record = after or record
    assert seen == [f"no footage lies in {PATH} yet", "", "", None]


@pytest.mark.parametrize("sizes", [(None, None), (1, 2)])
def test_patience_ends_with_what_it_waited_for(sizes: tuple[int | None, ...]) -> None:
    needed, record = {PATH: True}, a_record()
    for n, size in enumerate(sizes):
        survey = None if size is None else a_survey(size)
        now = t("12:00") + n * CARE.patience
        after = evidence.look_at(record, {PATH: survey}, needed, CARE, exactly(now))
        assert after is not None
        record = after
    assert record.state is RecordState.FAILED
    assert ("no footage" if sizes[0] is None else "changing") in record.message


def test_patience_begins_anew_when_the_share_is_back() -> None:
    needed = {PATH: True}
    first = evidence.look_at(
        a_record(), {PATH: None}, needed, CARE, exactly(t("12:00"))
    )
    assert first is not None
    away = evidence.postpone(first, "away", t("12:01"), 0.5)
    assert away.tries == 1
    back = evidence.look_at(away, {PATH: None}, needed, CARE, exactly(t("18:00")))
    assert back is not None
    assert back.state is RecordState.WANTED


def test_the_folder_of_a_request_that_failed_need_not_be_there() -> None:
    record, needed = a_record(), {PATH: False}
    first = evidence.look_at(record, {PATH: None}, needed, CARE, exactly(t("12:00")))
    assert first is not None
    later = t("12:00") + CARE.stable
    assert evidence.look_at(first, {PATH: None}, needed, CARE, exactly(later)) is None


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("incident.json", True),
        ("incident.json.sig", True),
        ("incident.html", True),
        ("incident.r12.json", True),
        ("incident.r12.json.sig", True),
        (".incident.json.evidenced-part", True),
        ("incident.rx.json", False),
        ("incident.json.bak", False),
        ("video.evidenced-part", False),
        ("inner/incident.json", False),
        (".incident.x/.evidenced-part", False),
        ("a", False),
    ],
)
def test_names_of_our_own(name: str, is_it: bool) -> None:
    assert evidence.is_own(name) is is_it


def test_a_hash_stands_for_what_lies_there_and_keeps_what_was() -> None:
    seen = SeenFile(name="a", size=1, modified_ns=1)
    known = HashedFile(folder=PATH, file=seen, sha256="x", hashed_at=t("12:00"))
    assert evidence.is_same_file(known, seen)
    assert not evidence.is_same_file(known, replace(seen, modified_ns=2))
    assert not evidence.is_same_file(None, seen)
    assert evidence.rehash(known, PATH, seen, "x", t("12:01")).was == ()
    changed = evidence.rehash(known, PATH, seen, "y", t("12:01"))
    assert evidence.rehash(changed, PATH, seen, "z", t("12:02")).was == ("x", "y")


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [(b"{}", "utf-8"), (b"\xff", "base64"), ("ü\u2028".encode(), "utf-8")],
)
def test_a_payload_comes_back_as_it_was(raw: bytes, encoding: str) -> None:
    said = json.loads(encode(exact(raw)))
    assert (said["encoding"], said["bytes"]) == (encoding, len(raw))
    data = said["payload"]
    back = data.encode() if encoding == "utf-8" else base64.b64decode(data)
    assert back == raw
