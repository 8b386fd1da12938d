"""Names of the loops, for hints and stack dumps."""

from evidenced.core.ids import RecorderName

INTERPRET = "interpret"
ROOM = "room"
TURN = "turn"
OUTBOX = "outbox"
PUBLISH = "publish"
JANITOR = "janitor"
SHARES = "shares"
CHECK = "check"
EVIDENCE = "evidence"
CUSTODY = "custody"
TROUBLES = "troubles"
NOTIFY = "notify"
REPORT = "report"
STAMP = "time-stamp"
STORE_WATCH = "store-watch"
ROUNDS = "rounds"
VERDICT = "verdict"
STATIONS = "stations"


def dispatch(recorder: RecorderName) -> str:
    return f"dispatch:{recorder}"


def protect(recorder: RecorderName) -> str:
    return f"protect:{recorder}"


def track(recorder: RecorderName) -> str:
    return f"track:{recorder}"


def life_sign(recorder: RecorderName) -> str:
    return f"life-sign:{recorder}"


def cover(recorder: RecorderName) -> str:
    return f"cover:{recorder}"


def watch(recorder: RecorderName) -> str:
    return f"watch:{recorder}"


def stills(recorder: RecorderName) -> str:
    return f"stills:{recorder}"


def notify(receiver: str) -> str:
    return f"notify:{receiver}"


def recorder_of(name: str) -> RecorderName | None:
    """Whose loop of that name it is; None for one that is no recorder's."""
    kind, _, recorder = name.partition(":")
    is_one = kind in ("dispatch", "protect", "track", "life-sign", "cover", "watch")
    return RecorderName(recorder) if is_one or kind == "stills" else None
