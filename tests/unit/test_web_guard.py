import pytest

from evidenced.web.guard import foreign, is_own_host, unmarked


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1:8470", True),
        ("localhost:8470", True),
        ("LOCALHOST.", True),
        ("[::1]:8470", True),
        ("192.0.2.7", True),
        ("evidence.example:8470", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("[::1", False),
        ("", False),
        (None, False),
    ],
)
def test_hosts(host: str | None, is_own: bool) -> None:
    assert is_own_host(host, {"evidence.example"}) is is_own


HOST = {"Host": "127.0.0.1:8470"}


@pytest.mark.parametrize(
    ("method", "headers", "is_foreign"),
    [
        ("POST", {}, False),
        ("POST", {"Origin": "http://127.0.0.1:8470"}, False),
        ("POST", {"Origin": "http://127.0.0.1:9999"}, True),
        ("POST", {"Origin": "http://localhost:8470"}, True),
        ("POST", {"Origin": "https://evil.example"}, True),
        ("POST", {"Origin": "null"}, True),
        ("POST", {"Origin": ""}, True),
        ("POST", {"Origin": "http://[::1"}, True),
        ("GET", {"Origin": "https://evil.example"}, True),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, True),
        ("POST", {"Sec-Fetch-Site": "same-site"}, True),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, False),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, True),
        (
            "GET",
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            False,
        ),
        (
            "POST",
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            True,
        ),
    ],
)
def test_origins(method: str, headers: dict[str, str], is_foreign: bool) -> None:
    assert (foreign(method, HOST | headers) is not None) is is_foreign


@pytest.mark.parametrize(
    ("headers", "is_marked"),
    [
        ({"Content-Type": "application/json", "Content-Length": "2"}, True),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, True),
        ({"X-Evidenced": "1"}, True),
        ({"X-Evidenced": "1", "Content-Length": "0"}, True),
        ({"X-Evidenced": "1", "Content-Length": "2"}, False),
        ({"X-Evidenced": "1", "Transfer-Encoding": "chunked"}, False),
        ({}, False),
        ({"Content-Type": "text/plain", "Content-Length": "2"}, False),
        ({"Content-Type": "application/x-www-form-urlencoded"}, False),
        ({"Content-Type": "text/plain; application/json"}, False),
    ],
)
def test_marks(headers: dict[str, str], is_marked: bool) -> None:
    assert (unmarked("POST", headers) is None) is is_marked
    assert unmarked("GET", headers) is None


@pytest.mark.parametrize(
    ("headers", "is_proved"),
    [
        ({"Origin": "http://127.0.0.1:8470"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({}, False),
        ({"Content-Type": "application/json"}, False),
        ({"X-Evidenced": "1"}, False),
    ],
)
def test_forms_say_where_they_are_from(
    headers: dict[str, str], is_proved: bool
) -> None:
    assert (unmarked("POST", headers, "/silences") is None) is is_proved
