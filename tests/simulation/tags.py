"""What must hold of tags, which protect footage at the recorder, after a run."""

from collections import Counter
from collections.abc import Iterator

from evidenced.sense.address import read_address
from fakes.proofs import tagged_everything
from simulation.run import Run


def tag_problems(run: Run) -> Iterator[str]:
    """Tags: never on every camera; each camera of a protected incident ends known.

    Confirmed only if the recorder has it, and asked for as often as the incident grew.
    """
    held: Counter[tuple[str, str]] = Counter()
    for name, simulator in run.simulators.items():
        journal = simulator.journal
        yield from (
            f"tags: {name} tags every camera: {record}"
            for record in tagged_everything(journal)
        )
        held.update((record.title, record.device) for record in journal.tags)
    yield from (f"tags: {title} set {n} times" for title, n in held.items() if n > 1)
    query = "SELECT incident, camera, address, state, n FROM tags"
    for incident, camera, address, state, n in run.disk.rows(query):
        device = read_address(address).device
        titles = [f"evidenced {incident}/{each}" for each in range(1, n + 1)]
        if state == "confirmed" and not any(held[title, device] for title in titles):
            yield f"tags: {camera} of {incident} is confirmed, no recorder has it"
        if state not in {"confirmed", "refused", "withdrawn"}:
            yield f"tags: {camera} of {incident} is left {state}"
    query = """SELECT c.incident, c.camera FROM clips c
        JOIN incidents i ON i.id = c.incident
        LEFT JOIN tags t ON t.incident = c.incident AND t.camera = c.camera
        WHERE i.rule IN ('door', 'button') AND t.camera IS NULL"""
    for incident, camera in run.disk.rows(query):
        yield f"tags: {camera} of {incident} was never asked for"
