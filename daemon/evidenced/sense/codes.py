"""What the recorder's result codes mean, by the command that they answer.

A number means what its own command says: -57 and -58 mean other things elsewhere.
0 or greater is success. Source: sense-api.md part A, B3.
"""

from collections.abc import Mapping

from evidenced.core.errors import Reason
from evidenced.core.recorder import Answer

EXPORT_CODES: Mapping[int, Reason] = {
    -2: Reason.NO_DEVICE,
    -4: Reason.BAD_REQUEST,
    -17: Reason.NO_SERVER,
    -33: Reason.BAD_REQUEST,
    -34: Reason.BAD_REQUEST,
    -37: Reason.BAD_REQUEST,
    -48: Reason.NO_VIDEO,
    -53: Reason.RECORDER_FAULT,
    -57: Reason.BAD_REQUEST,
    -58: Reason.BAD_PATH,
    -60: Reason.DISK_FULL,
    -61: Reason.BAD_PATH,
}
"""Of exportVideo; -53 is a device. Source: sense-api.md part A, B3.

Any other (-18 is "any unhandled error") may be how an ended session looks.
"""

ACTION_CODES: Mapping[int, Reason] = {
    -1: Reason.NO_LICENSE,
    -2: Reason.NO_DEVICE,
    -17: Reason.NO_SERVER,
    -19: Reason.BAD_REQUEST,
    -22: Reason.BAD_REQUEST,
}
"""Of executeAction. Source: sense-api.md B9."""

GENERAL_ERROR = -18
"""Any unhandled error, so it says nothing of the session either way. Source: B3."""

NO_TAG = -26
"""Of getVideoTagList: no tag exists. Source: sense-api.md B3, the tag pages."""

EXPLAINED: Mapping[str, frozenset[int]] = {
    "getVideoTagList": frozenset({-1, NO_TAG}),
    "getExportVideoStatus": frozenset({-1, -53}),
    "getDeviceList": frozenset({-1, -53}),
    "getSystemStatus": frozenset({-1, -53}),
    "getHistoricalImage": frozenset({-1, -2, -3, -4, -11, -17, -18, -21, -48, -53}),
    "getImageSequence": frozenset({-1, -2, -3, -4, -11, -17, -18, -21, -37, -48, -53}),
}
"""Codes that do not suggest an ended session: a licence, a device, the request."""


def answer_of(code: int, text: str, meanings: Mapping[int, Reason]) -> Answer:
    """The answer in our own words; an unexplained code is the recorder's fault."""
    is_refused = code < 0
    reason = meanings.get(code, Reason.RECORDER_FAULT) if is_refused else None
    return Answer(reason=reason, code=str(code), text=text)
