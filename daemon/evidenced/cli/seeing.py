"""Incidents as the daemon tells them, and as the store does where none answers."""

import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from evidenced.cli.control import NotRunning, incident_path
from evidenced.cli.options import daemon_of, load_config
from evidenced.cli.table import Json
from evidenced.cli.terminal import ELSEWHERE, Failed, note
from evidenced.core.errors import StoreError
from evidenced.core.ids import IncidentId
from evidenced.host.clock import SystemClock

PART = re.compile(r"[a-z0-9-]{3,23}")
"""Of an id, which has 24 characters."""
REFUSED = 1
LISTS = "evidenced.web.incidents"


def seen_list(config: Path, query: dict[str, str]) -> Json:
    """A page of incidents.

    Raises:
        Failed: exit 1, refused, or neither a daemon nor a store.
    """
    try:
        answer: Json = daemon_of(config).get("/api/incidents", query)
    except NotRunning as silent:
        pairs = [(name, text) for name, text in query.items() if text]
        answer = _stored(
            config, silent, LISTS, lambda web, view: web.stored_page(view, pairs)
        )
    return answer


def seen_one(config: Path, incident: str) -> Json:
    """One incident with all that is known of it; a part of its id will do.

    Raises as `seen_list`.
    """
    name = named(config, incident)
    try:
        answer: Json | None = daemon_of(config).get(incident_path(name))
    except NotRunning as silent:
        answer = _stored(
            config,
            silent,
            LISTS,
            lambda web, view: web.stored_object(view, IncidentId(name)),
        )
    if answer is None:
        raise Failed(f"there is no incident {name!r}", code=REFUSED)
    return answer


def seen_silences(config: Path) -> Json:
    """Silences in force, and the last ones that are over. Raises as `seen_list`."""
    try:
        answer: Json = daemon_of(config).get("/api/silences")
    except NotRunning as silent:
        now = SystemClock().now()
        answer = _stored(
            config,
            silent,
            "evidenced.web.silences",
            lambda web, view: web.stored_silences(view, now),
        )
    return answer


def named(config: Path, text: str) -> str:
    """The id that begins or ends so.

    Raises:
        Failed: exit 1, several do.
    """
    if not PART.fullmatch(text):
        return text
    found = seen_list(config, {"id": text, "limit": "3"}).get("incidents", [])
    names = [str(each.get("id")) for each in found]
    if len(names) > 1 and text not in names:
        raise Failed(
            f"several incidents begin or end with {text!r}, such as {names[0]} and "
            f"{names[1]}: write more of it",
            code=REFUSED,
        )
    return names[0] if len(names) == 1 else text


def order(
    config: Path, incident: str, action: str, said: Json
) -> tuple[str, dict[str, Any]]:
    """What the daemon is told to do with one incident: its id, and the answer.

    Raises:
        Failed: exit 1, refused, not found, or nobody answers.
    """
    name = named(config, incident)
    return name, daemon_of(config).post(incident_path(name, action), said)


def _stored(config: Path, silent: NotRunning, shapes: str, read: Any) -> Any:  # noqa: ANN401 - JSON
    """What the store says, in the shape of the API; that it does is said on stderr."""
    if ELSEWHERE.get()[0]:
        raise silent
    # not loaded where a daemon answers: it takes as long as the rest of the command
    connections = import_module("evidenced.connections")
    settings = connections.store_settings(load_config(config), os.environ)
    web, store = import_module(shapes), import_module("evidenced.store.snapshot")
    try:
        with store.open_snapshot(settings) as view:
            found = read(web, view)
    except StoreError:
        raise silent from None
    note("evidenced is not running; this is what the store says")
    return found
