"""Pictures around alarms, in some seeds: each is kept or says why there is none.

Dice of their own: other seeds ask recorders for as much as before.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from evidenced.core.keeping.jpeg import picture_size
from simulation.plan import Plan, put_pictures

if TYPE_CHECKING:
    from simulation.run import Run

CHANCE = 0.2


def put_stills(plan: Plan) -> None:
    """Let the rules of some seeds want pictures."""
    random = Random(f"{plan.seed}-stills")  # noqa: S311 - repeatable on purpose
    if random.random() < CHANCE:
        put_pictures(plan, random.choice((1, 2, 3)))


def still_problems(run: "Run") -> Iterator[str]:
    """None is fetched for ever; what is kept is a picture, the one that its row says.

    In a calm run none is lacking, for its recorders have recorded all of it.
    """
    query = """SELECT s.incident, s.n, s.state, s.sha256, s.message, p.data
        FROM stills s LEFT JOIN pictures p ON p.incident = s.incident AND p.n = s.n"""
    for name, n, state, digest, message, data in run.disk.rows(query):
        still = f"still {n} of {name}"
        if state == "wanted":
            yield f"stills: {still} is wanted for ever"
        if (state == "kept") is not (data is not None):
            yield f"stills: {still} is {state}, and there is {data and len(data)}"
        if state == "none" and (not message or run.plan.is_calm):
            yield f"stills: {still} could not be had: {message!r}"
        if data is not None:
            picture_size(data)
            if sha256(data).hexdigest() != digest:
                yield f"stills: {still} is not the picture that its row says"
    for name, n in run.disk.rows("SELECT incident, n FROM still_wishes"):
        yield f"stills: those of {name} from clip {n} on were never drawn up"
    query = """SELECT id, terms FROM incidents i WHERE imported_at IS NULL AND EXISTS
        (SELECT 1 FROM clips c WHERE c.incident = i.id AND c.start_at < c.end_at)
        AND NOT EXISTS (SELECT 1 FROM stills s WHERE s.incident = i.id)"""
    for name, terms in run.disk.rows(query):
        if json.loads(terms)["stills"]:
            yield f"stills: {name} has none, and its rule wants some"
