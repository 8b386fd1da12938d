"""Which language a browser is answered in, from what it sends, hostile or not."""

import pytest

from evidenced.web.languages import preferred


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("nl", "nl"),
        ("nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.4", "de"),
        ("en-GB,nl;q=0.9", "en"),
        ("de;q=0.2,nl;q=0.7", "nl"),
        ("DE-at", "de"),
        ("fr, *", "en"),
        ("nl;q=0, de;q=0.1", "de"),
        ("nl;q=0", "en"),
        ("nl;q=nan, de;q=inf, en;q=-1", "en"),
        ("nl;q=2", "en"),
        ("nl ; q=0.5 , de ; Q=0.6", "de"),
        ("../../etc/passwd,nl\x00,<script>", "en"),
        (",".join(["fr"] * 30 + ["nl"]), "en"),
        ("x" * 500 + ",nl", "en"),
        (";;;,,,===", "en"),
    ],
)
def test_the_language_that_a_browser_asks_for(header: str, expected: str) -> None:
    assert preferred(header) == expected
