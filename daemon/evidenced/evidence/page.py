"""The page of a record: one file that any browser shows, from nowhere but itself."""

import json
from collections.abc import Mapping
from datetime import UTC
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from evidenced.core.telling.sentences import sentence
from evidenced.core.telling.story import Story
from evidenced.core.telling.timeline import lay_out
from evidenced.picture import STYLE, draw


class RecordPage:
    """`ports.PagePort` over a template."""

    def render(self, record: Mapping[str, object], story: Story) -> bytes:
        page = _template().render(
            record=record,
            sentences=[sentence(entry, UTC) for entry in story.dossier.history],
            timeline=Markup(draw(lay_out(story))),  # noqa: S704 - it escapes by itself
            style=Markup(STYLE),  # noqa: S704 - ours
        )
        return page.encode("utf-8", "xmlcharrefreplace")


@cache
def _template() -> Template:
    text = files("evidenced.evidence").joinpath("incident.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = _plain
    return environment.from_string(text)


def _plain(value: object) -> str:
    """What JSON would say, without its marks where it is a text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
