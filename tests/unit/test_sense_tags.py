"""Tags in the recorder's words: seconds around its now, and its list of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidenced.core.ids import CameraName, IncidentId, RecorderName
from evidenced.core.keeping.tag import Tag, TagOrder, TagState
from evidenced.core.window import Window
from evidenced.sense.address import sense_address
from evidenced.sense.calls import tag_query
from evidenced.sense.listed import ListedTag
from evidenced.sense.matching import find_tags
from fakes.incident import t

NOW = t("12:00")
TAG = Tag(
    incident=IncidentId("i1"),
    camera=CameraName("lobby"),
    recorder=RecorderName("main"),
    address=sense_address("1001", "2001"),
    window=Window(start=NOW, end=NOW),
    state=TagState.ASKED,
    due_at=NOW,
    n=1,
)
LISTED = ListedTag(id="7", address=TAG.address, title=TAG.title, comment="")


@pytest.mark.parametrize(
    ("start", "end", "before", "after"),
    [
        (-35, 95, 35, 95),
        (-35.2, 94.1, 36, 95),
        (-3600, -10, 3600, 1),
        (-3600, 0, 3600, 1),
        (20, 60, 0, 60),
        (-86_401, 1, 86_400, 1),
    ],
)
def test_a_tag_is_whole_seconds_around_now_and_always_ends(
    start: float, end: float, before: int, after: int
) -> None:
    window = Window(
        start=NOW + timedelta(seconds=start), end=NOW + timedelta(seconds=end)
    )
    order = TagOrder(address=TAG.address, window=window, title="t", comment="c")
    query = tag_query(order, NOW)
    assert (query["pretime"], query["posttime"]) == (str(before), str(after))


@pytest.mark.parametrize(
    ("changes", "is_it"),
    [
        ({}, True),
        ({"title": " evidenced i1/1 "}, True),
        ({"title": "", "comment": "evidenced i1/1, cut"}, True),
        ({"title": "evidenced i1/2"}, False),
        ({"title": "somebody's"}, False),
        ({"address": sense_address("1001", "2002")}, False),
        ({"address": sense_address("1002", "2001")}, False),
    ],
)
def test_only_our_own_title_on_this_camera_is_it(
    changes: dict[str, str], is_it: bool
) -> None:
    entry = replace(LISTED, **changes)  # type: ignore[arg-type]
    assert find_tags([TAG], [entry]) == ({TAG.key: "7"} if is_it else {})
