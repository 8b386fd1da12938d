"""What `evidenced status` says of nodes and their database."""

from evidenced.cli.status import status_lines

NOON = "2026-11-23T12:00:00.000Z"
BASE = {
    "verdict": {"mood": "good", "text": "All is well.", "reasons": []},
    "queue": {"messages": 0, "incidents": {}, "oldest_due": None},
    "last_alarm": None,
}


def node(name: str, *, up: bool = True, **holds: str) -> dict[str, object]:
    held = {key.replace("_", ":"): since for key, since in holds.items()}
    return {"name": name, "up": up, "since": NOON, "seen": NOON, "holds": held}


def said(**found: object) -> dict[str, str]:
    nodes = [node("a", all=NOON, recorder_x=NOON), node("b"), node("c", up=False)]
    lines = status_lines({**BASE, "nodes": nodes, **found})
    return {f"{name} {texts[0][:1]}": texts[0] for name, texts in lines}


def test_each_node_says_what_it_does() -> None:
    lines = said()
    assert lines["node a"].startswith("a: takes alarms since ")
    assert lines["node a"].endswith(", 1 recorder")
    assert lines["node b"].startswith("b: stands by since ")
    assert lines["node b"].endswith(", 0 recorders")
    assert lines["node c"].startswith("c: away, seen last ")


def test_the_database_says_how_far_its_standbys_are_behind() -> None:
    def words(answer: float | None, standbys: int, behind: float | None) -> str:
        told = {"answer_s": answer, "standbys": standbys, "behind_s": behind}
        return next(v for k, v in said(database=told).items() if k.startswith("data"))

    assert words(0.004, 1, 0.2) == "answers in 0.004 s, 1 standby, 0.2 s behind"
    assert words(0.004, 2, None).endswith("2 standbys, lag not told (pg_monitor)")
    assert words(None, 0, None) == "does not answer, no standby"
