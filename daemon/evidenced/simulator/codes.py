"""The recorder's result codes, and the refusal that carries one."""

from enum import IntEnum


class Code(IntEnum):
    """Source: sense-api.md part A; NOT_IMPLEMENTED, TOO_FEW ... of B3."""

    OK = 0
    NOT_IMPLEMENTED = -1
    """Also: the API license is missing."""
    NO_DEVICE = -2
    NOT_THAT_TIME = -3
    BAD_TIME = -4
    TOO_FEW = -10
    NO_IMAGE = -11
    NO_SERVER = -17
    GENERAL = -18
    OUT_OF_RANGE = -22
    BAD_ACTION = -24
    NO_TAG = -26
    NO_SERVER_ID = -33
    NO_DEVICE_ID = -34
    END_BEFORE_START = -37
    NO_VIDEO = -48
    NO_EXPORT_ID = -57
    BAD_PATH = -58
    DISK_FULL = -60
    NO_FOLDER = -61


TEXTS: dict[int, str] = {
    Code.NOT_IMPLEMENTED: "Not implemented",
    Code.NO_DEVICE: "No device",
    Code.NOT_THAT_TIME: "Retrieved image does not correspond to timestamp",
    Code.NO_IMAGE: "No image",
    Code.BAD_TIME: "Invalid timestamp",
    -9: "Record not found",
    Code.TOO_FEW: "Not enough parameters",
    Code.NO_SERVER: "No server",
    Code.GENERAL: "General error",
    Code.OUT_OF_RANGE: "Value out of range",
    Code.BAD_ACTION: "Invalid action",
    Code.NO_TAG: "Videotag does not exist",
    Code.NO_SERVER_ID: "No serverID",
    Code.NO_DEVICE_ID: "No deviceID",
    Code.END_BEFORE_START: "Enddate before startdate",
    Code.NO_VIDEO: "No videodata for timestamp",
    Code.NO_EXPORT_ID: "No exportid",
    Code.BAD_PATH: "Incorrect path",
    Code.DISK_FULL: "Not enough disk space",
    Code.NO_FOLDER: "Unable to create directory",
}


class CommandDenied(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The recorder's refusal. `detail` helps who tests; a device is never named."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def text(self) -> str:
        return ": ".join(filter(None, (TEXTS.get(self.code, ""), self.detail)))
