"""A pattern that covers another matches whatever that matches."""

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.alarms.topiccoverage import Coverage
from evidenced.core.errors import BadInput

LEVELS = st.sampled_from(["a", "b", "Zone7", "+", "{x}", "{y}", "Zone{n}", "$SYS", ""])
TEXTS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(LEVELS, min_size=1, max_size=3),
    st.sampled_from([[], ["#"]]),
)
TOPICS = st.lists(
    st.sampled_from(["a", "b", "Zone7", "Zone", "c", "$SYS", ""]),
    min_size=1,
    max_size=4,
).map("/".join)


def parsed(text: str) -> TopicPattern | None:
    try:
        return TopicPattern.parse(text)
    except BadInput:
        return None


@given(TEXTS, TEXTS, TOPICS)
def test_covering_is_matching_at_least_as_much(
    one: str, other: str, topic: str
) -> None:
    wide, narrow = parsed(one), parsed(other)
    if wide is None or narrow is None:
        return
    assert wide.covers(wide)
    if wide.covers(narrow) and narrow.match(topic) is not None:
        assert wide.match(topic) is not None


@given(st.lists(TEXTS, max_size=8), TEXTS)
def test_a_tree_finds_what_comparing_with_each_does(many: list[str], one: str) -> None:
    patterns = [each for text in many if (each := parsed(text)) is not None]
    wanted = parsed(one)
    if wanted is None:
        return
    coverage = Coverage()
    for n, pattern in enumerate(patterns):
        coverage.add(n, [pattern])
    each = {n for n, pattern in enumerate(patterns) if pattern.covers(wanted)}
    assert coverage.all_of([wanted]) == each
