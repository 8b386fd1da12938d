from contextlib import suppress
from datetime import UTC, datetime, timedelta
from unicodedata import category, is_normalized

from hypothesis import example, given
from hypothesis import strategies as st

from evidenced.core.errors import BadInput
from evidenced.core.folders.paths import (
    MAX_PATH_UNITS,
    PathTemplate,
    below,
    with_suffix,
    within,
)

ROOT = r"V:\evidence"
TEMPLATES = [
    r"V:\evidence\{a}",
    r"V:\evidence\{opened:%H:%M}\CO{a}\{b}.{a}\{id}",
    r"V:\evidence\{{{a}={b}\=.{b}",
    r"V:\evidence" + r"\{a}\{b}" * 5,
]
DEPTHS = {template: template.count("\\") - 1 for template in TEMPLATES}
hostile = st.one_of(
    st.text(),
    st.text(st.characters()),  # lone surrogates too
    st.text(
        st.sampled_from("./\\: \u0338\u0301~CONMUL123\u00b9$\uff0f\u202e\0\ud800<&")
    ),
    st.text(min_size=200, max_size=1200),
    st.lists(st.text(), max_size=4).map(tuple),
)
instants = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


@given(st.sampled_from(TEMPLATES), hostile, hostile, hostile, instants)
@example(TEMPLATES[1], "N", "", "", datetime(2026, 1, 1, tzinfo=UTC))
@example(TEMPLATES[2], "\u0338", "\u0338", "", datetime(2026, 1, 1, tzinfo=UTC))
def test_no_value_leaves_its_folder(
    template: str,
    a: str | tuple[str, ...],
    b: str | tuple[str, ...],
    identity: str | tuple[str, ...],
    at: datetime,
) -> None:
    parsed = PathTemplate.parse(template)
    when = {"opened": at, "ended": at + timedelta(seconds=1)}
    path = with_suffix(parsed.render({"a": a, "b": b, "id": identity}, when, UTC), 99)
    names = below(path, ROOT)
    assert names is not None, path
    assert len(names) == DEPTHS[template]
    assert len(path.encode("utf-16-le")) // 2 <= MAX_PATH_UNITS
    assert is_normalized("NFC", path)
    assert all(category(c)[0] != "C" and c not in '<>&"|?*;/~' for c in path)
    assert path.count(":") == 1
    path.encode()


parts = st.lists(
    st.sampled_from(["evidence", "EVIDENCE", "a", "..", "a.", "CON", "", "x" * 119])
    | st.text("ab. /\\:", max_size=3),
    max_size=4,
)


@given(parts, st.sampled_from([ROOT, "V:\\", r"V:\evidence\a", r"\\nas\evidence"]))
@example(["evidence"], ROOT)
@example(["evidence", "a"], ROOT)
@example(["evidence", "a", "b"], ROOT)
@example(["evidence", "..", "b"], ROOT)
def test_the_short_look_finds_what_the_whole_one_does(
    names: list[str], root: str
) -> None:
    path = "\\".join(["V:", *names])
    assert within(path, root) is (below(path, root) is not None)


@given(st.text() | st.text("{}\\/:%VYopened.id ").map(lambda text: f"V:\\{text}"))
def test_any_text_parses_or_is_bad_input(text: str) -> None:
    at = dict.fromkeys(("opened", "ended"), datetime(2026, 1, 1, tzinfo=UTC))
    with suppress(BadInput):
        path = PathTemplate.parse(text).render({}, at, UTC)
        root = "V:\\" if path[1] == ":" else "/"
        assert below(path, root) or path.startswith("\\\\")


@given(st.text(min_size=81, max_size=2000), st.text(min_size=81, max_size=2000))
def test_shortened_values_differ_when_the_values_do(a: str, b: str) -> None:
    template = PathTemplate.parse(r"V:\evidence\{a}")
    at = dict.fromkeys(("opened", "ended"), datetime(2026, 1, 1, tzinfo=UTC))
    # NFC may bring a text below the limit; what is shortened is what counts
    a, b = "x" * 81 + a, "x" * 81 + b
    same = template.render({"a": a}, at, UTC) == template.render({"a": b}, at, UTC)
    assert same == (a == b)
