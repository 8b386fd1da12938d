"""Templates in a reader's language: what they call to say something.

`_("Times are {zone}.", zone=name)` is a sentence of the catalogue, markup included;
its values are escaped. `ngettext(one, several, n)` is one by a number, which is `{n}`.
Phrases of the core are said as they are put out.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from evidenced.core.address import shown
from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.silence import held_back_words
from evidenced.core.instants import render_utc
from evidenced.core.phrase import (
    Phrase,
    Tongue,
    capital,
    decimal,
    glued,
    kept,
    said,
    sentence_of,
)
from evidenced.core.spoken import (
    clock,
    day,
    day_and_clock,
    localised,
    moment,
    person,
    size_words,
    spoken,
)
from evidenced.web.static import address


@cache
def environment(tongue: Tongue) -> Environment:
    """The templates in this language; each language has its own, compiled once."""
    made = Environment(
        loader=PackageLoader("evidenced.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=lambda value: (
            said(value, tongue) if isinstance(value, Phrase) else value
        ),
    )
    made.globals |= {
        "asset": address,
        "lang": tongue.code,
        "_": lambda template, **values: _filled(tongue.of(template), values, tongue),
        "ngettext": lambda one, several, n, **values: _filled(
            tongue.counted(one, several, n), {"n": n, **values}, tongue
        ),
    }
    made.filters |= {
        "line": lambda text, most=200: one_line(_text(text, tongue), most),
        "spoken": spoken,
        "held_back": held_back_words,
        "address": shown,
        "capital": lambda text: capital(_text(text, tongue)),
        "sentence": lambda text: sentence_of(_text(text, tongue)),
        "kept": pass_context(partial(_kept, tongue=tongue)),
        "person": person,
        "code": Markup("<code>{}</code>").format,
        "decimal": decimal,
        "word": lambda state: tongue.of(str(state)),
        "size": size_words,
    }
    return made


def _kept(context: Context, text: str, tongue: Tongue) -> str:
    zone = context["zone"]
    return said(localised(kept(text), lambda at: day_and_clock(at, zone)), tongue)


def _text(value: Any, tongue: Tongue) -> str:  # noqa: ANN401 - whatever is shown
    return value.said(tongue) if isinstance(value, Phrase) else str(value)


def _filled(template: str, values: dict[str, Any], tongue: Tongue) -> Markup:
    """A sentence of the catalogue, which is ours and may hold tags; values may not."""
    if not values:
        return Markup(template)  # noqa: S704 - ours
    known = {
        name: value.said(tongue) if isinstance(value, Phrase) else value
        for name, value in values.items()
    }
    return Markup(template).format(**known)  # noqa: S704 - format escapes the values


def helpers(
    zone: tzinfo, tongue: Tongue, now: datetime
) -> dict[str, Callable[..., Markup]]:
    """Instants as a page shows them: local, and exact for whoever asks."""

    def when(at: datetime) -> Markup:
        return _time(at, said(glued(day(at, zone), ", ", clock(at, zone)), tongue))

    def at_clock(at: datetime) -> Markup:
        return _time(at, clock(at, zone))

    def plain(at: datetime) -> Markup:
        """For attributes, which hold no elements."""
        return escape(clock(at, zone))

    def soon(at: datetime) -> Markup:
        """With its day where that is not today."""
        return _time(at, said(moment(at, now, zone), tongue))

    return {"when": when, "clock": at_clock, "plain": plain, "soon": soon}


def _time(at: datetime, words: str) -> Markup:
    exact = render_utc(at)
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact, words)
