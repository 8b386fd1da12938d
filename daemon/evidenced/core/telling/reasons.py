"""Why there is no footage, in the words of a guard: one table for all who tell it."""

from collections.abc import Mapping

from evidenced.core.errors import Reason
from evidenced.core.phrase import kept, phrase

REASONS: Mapping[Reason, str] = {
    Reason.NO_VIDEO: phrase("the recorder has no video of it"),
    Reason.NO_DEVICE: phrase("the recorder does not know the camera"),
    Reason.NO_SERVER: phrase("the recorder does not know the camera's server"),
    Reason.BAD_REQUEST: phrase("the recorder does not take the request"),
    Reason.BAD_PATH: phrase("the destination's folder cannot be written"),
    Reason.DISK_FULL: phrase("the destination's disk is full"),
    Reason.NO_CAMERA: phrase("no camera of the rule is configured"),
    Reason.NO_RECORDER: phrase("the recorder is no longer configured"),
    Reason.UNREACHABLE: phrase("the recorder cannot be reached"),
    Reason.TIMEOUT: phrase("the recorder did not answer in time"),
    Reason.LOGIN_REFUSED: phrase("the recorder refuses the login"),
    Reason.EXPORT_FAILED: phrase("the recorder could not finish the export"),
    Reason.EXPORT_VANISHED: phrase("the recorder lost the export"),
    Reason.NO_FOOTAGE: phrase("the recorder's export holds no footage"),
    Reason.RECORDER_FAULT: phrase("the recorder has a fault"),
    Reason.NO_LICENSE: phrase("the recorder has no license for it"),
    Reason.SERVER_ERROR: phrase("the recorder answers with an error"),
    Reason.GARBAGE: phrase("the recorder answers what cannot be read"),
    Reason.OPERATOR: phrase("an operator cancelled it"),
}


def reason_said(text: str) -> str:
    """A reason's word in words; any other text as it is."""
    try:
        return REASONS[Reason(text)]
    except ValueError:
        return kept(text)
