"""What a browser sends is bounded, and so is what is remembered of it."""

import pytest
from aiohttp.test_utils import make_mocked_request

from evidenced.core.errors import BadInput
from evidenced.web.bodies import (
    MAX_FIELD,
    MAX_FIELDS,
    SilenceBody,
    form_fields,
    read_fields,
)
from evidenced.web.login import MAX_NEXT, own_path
from evidenced.web.sessions import MAX_COOKIE, SESSIONS, WebSessions, cookie_of
from fakes.clock import FakeClock


def test_the_login_that_is_longest_unused_goes_first() -> None:
    sessions = WebSessions(FakeClock())
    cookies = [sessions.begin("anna") for _ in range(SESSIONS)]
    assert sessions.find(cookies[0]) is not None  # used again: now the second is oldest
    sessions.begin("anna")
    assert [sessions.holds(each) for each in cookies[:3]] == [True, False, True]


def test_whoever_logs_in_again_and_again_logs_nobody_else_out() -> None:
    sessions = WebSessions(FakeClock())
    cookies = [sessions.begin("anna"), sessions.begin("anna")]
    own = [sessions.begin("guard") for _ in range(2 * SESSIONS)]
    assert [sessions.holds(each) for each in cookies] == [True, True]
    assert sum(map(sessions.holds, own)) == SESSIONS - 2
    assert sessions.holds(own[-1])


def test_a_form_has_so_many_fields() -> None:
    fields = [f"f{n}=x" for n in range(MAX_FIELDS + 1)]
    assert len(form_fields("&".join(fields[1:]).encode())) == MAX_FIELDS
    with pytest.raises(BadInput, match=f"at most {MAX_FIELDS} fields"):
        form_fields("&".join(fields).encode())


def test_a_field_has_so_many_characters() -> None:
    assert form_fields(b"name=" + b"x" * MAX_FIELD)["name"] == "x" * MAX_FIELD
    with pytest.raises(BadInput, match=f"name is longer than {MAX_FIELD}"):
        form_fields(b"name=" + b"x" * (MAX_FIELD + 1))


def test_where_a_login_leads_is_bounded() -> None:
    longest = "/" + "x" * (MAX_NEXT - 1)
    assert own_path(longest) == longest
    assert own_path(longest + "x") == "/"


def test_an_author_has_so_many_characters() -> None:
    said = {"rule": "a", "for": "1h", "author": "x" * 60}
    assert read_fields(SilenceBody, said).author == "x" * 60
    with pytest.raises(BadInput, match="at most 60"):
        read_fields(SilenceBody, said | {"author": "x" * 61})


def test_a_cookie_has_so_many_characters() -> None:
    for length, is_read in ((MAX_COOKIE, True), (MAX_COOKIE + 1, False)):
        cookie = "x" * length
        headers = {"Cookie": f"evidenced={cookie}"}
        request = make_mocked_request("GET", "/", headers=headers)
        assert cookie_of(request) == (cookie if is_read else "")
