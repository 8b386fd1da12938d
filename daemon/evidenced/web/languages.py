"""Which language a request is answered in: as configured, else as its browser asks."""

from collections.abc import Callable, Iterator

from aiohttp import web

from evidenced.core.phrase import ENGLISH, LANGUAGES, Tongue
from evidenced.tongues import tongue

MOST_TEXT = 500
MOST_TAGS = 30
"""Of what a browser sends; more is not read. Browsers send a handful."""


class Languages:
    """`fixed` is `[web] language`: everybody's, where it is not empty."""

    def __init__(
        self, fixed: str = "", speak: Callable[[str], Tongue] = tongue
    ) -> None:
        self._fixed = fixed
        self._speak = speak

    def of(self, request: web.Request) -> Tongue:
        asked = request.headers.get("Accept-Language", "")
        return self._speak(self._fixed or preferred(asked))

    def tell(self, response: web.StreamResponse, spoken: Tongue) -> None:
        """Which language an answer is in, and whether it goes by the browser's wish."""
        response.headers["Content-Language"] = spoken.code
        if not self._fixed:
            response.headers["Vary"] = "Accept-Language"


def preferred(header: str) -> str:
    """The first of our languages, as its reader likes them; English where none is.

    `nl-BE` is answered in `nl`. What is no list of languages says nothing.
    Source: RFC 9110, 12.5.4.
    """
    wishes = sorted(_wishes(header), key=lambda wish: -wish[0])  # stable
    for weight, tag in wishes:
        word = tag.partition("-")[0].lower()
        if weight and (word in LANGUAGES or word == "*"):
            return word if word in LANGUAGES else ENGLISH.code
    return ENGLISH.code


def _wishes(header: str) -> Iterator[tuple[float, str]]:
    for each in header[:MOST_TEXT].split(",")[:MOST_TAGS]:
        tag, _, rest = each.partition(";")
        name, _, text = rest.partition("=")
        weight = _weight(text) if name.strip().lower() == "q" else 1.0
        yield weight, tag.strip()


def _weight(text: str) -> float:
    """From 0 to 1; 0 for what is no such number."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
