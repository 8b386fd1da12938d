"""What to do about footage that is missing, late or on its way: one table for all.

Page, messages and command line say the same as the runbook (systemd/README.md), which
a test holds to this.
"""

from collections.abc import Mapping

from evidenced.core.errors import Reason
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import IncidentState
from evidenced.core.phrase import mark, phrase, sentence_of

ADVICE: Mapping[Reason, str] = {
    Reason.NO_VIDEO: mark(
        "does the camera record? If the recorder has the video by now, `retry`"
    ),
    Reason.NO_DEVICE: mark("compare with `evidenced discover`; then `retry`"),
    Reason.NO_SERVER: mark("compare with `evidenced discover`; then `retry`"),
    Reason.BAD_REQUEST: mark("`evidenced check --online`; report it with the request"),
    Reason.BAD_PATH: mark(
        "does the folder exist on the recorder, may its service write?"
    ),
    Reason.DISK_FULL: mark("make room; it goes on by itself"),
    Reason.RECORDER_FAULT: mark("its log; it is tried again"),
    Reason.NO_LICENSE: mark("buy it, or take `protect` out of the rule"),
    Reason.EXPORT_FAILED: mark("its log; disk and share there; then `retry`"),
    Reason.EXPORT_VANISHED: mark("was the recorder restarted?"),
    Reason.NO_FOOTAGE: mark(
        "is `mount` the same share as `path`? The recorder's log; then `retry`"
    ),
    Reason.UNREACHABLE: mark("network, service, `url`; `evidenced check --online`"),
    Reason.TIMEOUT: mark("the recorder's load; a larger `timeout`"),
    Reason.LOGIN_REFUSED: mark(
        "`evidenced check --online`; the credential's file, then `systemctl restart`"
    ),
    Reason.SERVER_ERROR: mark("the recorder's log"),
    Reason.GARBAGE: mark("is it a proxy or another program at that `url`?"),
    Reason.NO_CAMERA: mark(
        "add them; open the incident by hand with `evidenced trigger`"
    ),
    Reason.NO_RECORDER: mark("put it back, then `retry`; or fetch the footage by hand"),
    Reason.OPERATOR: mark("nothing"),
}
_STATES: Mapping[IncidentState, str] = {
    IncidentState.RECORDING: mark(
        "nothing to do: it is exported once its window has ended"
    ),
    IncidentState.WAITING: mark("nothing to do: it is tried again by itself"),
    IncidentState.EXPORTING: mark("nothing to do: the recorder is exporting it"),
    IncidentState.EXPORTED: mark("nothing to do: all of its footage is exported"),
    IncidentState.CANCELLED: mark(
        "nothing to do; `retry` if the footage is wanted after all"
    ),
    IncidentState.PARTIAL: mark("see which camera lacks footage, and why"),
    IncidentState.FAILED: mark("see why there is no footage"),
}


def advice_of(incident: Incident) -> str:
    """What to do about it, a sentence for people: by its reason, else by its state."""
    lost = [clip.reason for clip in incident.wanted if clip.is_lacking]
    reasons = [each for each in lost if each is not None]
    if not reasons and incident.state in {IncidentState.FAILED, IncidentState.WAITING}:
        waits = [clip.reason for clip in incident.wanted if clip.reason is not None]
        reasons = [incident.reason] if incident.reason else waits
    text = ADVICE[reasons[0]] if reasons else _STATES[incident.state]
    return sentence_of(phrase(text).then(lambda words: words.replace("`", "")))
