"""What to do about footage that is missing, late or on its way: one table for all.

Page, messages and command line say the same as the runbook (systemd/README.md), which
a test holds to this.
"""

from collections.abc import Mapping

from evidenced.core.errors import Reason
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState

ADVICE: Mapping[Reason, str] = {
    Reason.NO_VIDEO: "does the camera record? if the recorder has the video by now, "
    "`retry`",
    Reason.NO_DEVICE: "compare with `evidenced discover`; then `retry`",
    Reason.NO_SERVER: "compare with `evidenced discover`; then `retry`",
    Reason.BAD_REQUEST: "`evidenced check --online`; report it with the request",
    Reason.BAD_PATH: "does the folder exist on the recorder, may its service write?",
    Reason.DISK_FULL: "make room; it goes on by itself",
    Reason.RECORDER_FAULT: "its log; it is tried again",
    Reason.NO_LICENSE: "buy it, or take `protect` out of the rule",
    Reason.EXPORT_FAILED: "its log; disk and share there; then `retry`",
    Reason.EXPORT_VANISHED: "was the recorder restarted?",
    Reason.NO_FOOTAGE: "is `mount` the same share as `path`? the recorder's log; then "
    "`retry`",
    Reason.UNREACHABLE: "network, service, `url`; `evidenced check --online`",
    Reason.TIMEOUT: "the recorder's load; a larger `timeout`",
    Reason.LOGIN_REFUSED: "`evidenced check --online`; the credential's file, then "
    "`systemctl restart`",
    Reason.SERVER_ERROR: "the recorder's log",
    Reason.GARBAGE: "is it a proxy or another program at that `url`?",
    Reason.NO_CAMERA: "add them; open the incident by hand with `evidenced trigger`",
    Reason.NO_RECORDER: "put it back, then `retry`; or fetch the footage by hand",
    Reason.OPERATOR: "nothing",
}
_NOTHING = "nothing to do"
_STATES: Mapping[IncidentState, str] = {
    IncidentState.RECORDING: f"{_NOTHING}: it is exported once its window has ended",
    IncidentState.WAITING: f"{_NOTHING}: it is tried again by itself",
    IncidentState.EXPORTING: f"{_NOTHING}: the recorder is exporting it",
    IncidentState.EXPORTED: f"{_NOTHING}: all of its footage is exported",
    IncidentState.CANCELLED: f"{_NOTHING}; `retry` if the footage is wanted after all",
    IncidentState.PARTIAL: "see which camera lacks footage, and why",
    IncidentState.FAILED: "see why there is no footage",
}


def advice_of(incident: Incident) -> str:
    """What to do about it, a sentence for people: by its reason, else by its state."""
    lost = [clip.reason for clip in incident.wanted if clip.is_lacking]
    reasons = [each for each in lost if each is not None]
    if not reasons and incident.state in {IncidentState.FAILED, IncidentState.WAITING}:
        waits = [clip.reason for clip in incident.wanted if clip.reason is not None]
        reasons = [incident.reason] if incident.reason else waits
    text = ADVICE[reasons[0]] if reasons else _STATES[incident.state]
    plain = text.replace("`", "")
    end = "" if plain.endswith("?") else "."
    return f"{plain[:1].upper()}{plain[1:]}{end}"
