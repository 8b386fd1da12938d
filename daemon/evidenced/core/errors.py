"""Errors that say who is to blame and what to do next, each with a closed reason."""

from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=Exception)


class Reason(StrEnum):
    """Why something was decided: the log line's word, the metric's label."""

    # what a recorder answered about an export
    NO_VIDEO = "no-video"
    NO_DEVICE = "no-device"
    NO_SERVER = "no-server"
    BAD_REQUEST = "bad-request"
    BAD_PATH = "bad-path"
    DISK_FULL = "disk-full"
    RECORDER_FAULT = "recorder-fault"
    NO_LICENSE = "no-license"
    EXPORT_FAILED = "export-failed"
    EXPORT_VANISHED = "export-vanished"
    NO_FOOTAGE = "no-footage"
    # what happened to an exchange with it
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    LOGIN_REFUSED = "login-refused"
    SERVER_ERROR = "server-error"
    GARBAGE = "garbage"
    # what ended an incident or a clip
    NO_CAMERA = "no-camera"
    NO_RECORDER = "no-recorder"
    OPERATOR = "operator"


class EvidencedError(Exception):
    """The root of every error that this package raises on purpose."""


class BadInput(EvidencedError):  # noqa: N818 - a family name, see style
    """Somebody sent or wrote something that cannot be used: say so, go on."""


class NotFound(BadInput):
    """What was asked for does not exist."""


class Refused(BadInput):
    """What was asked for exists, but is not in a state for it."""


class ConfigError(BadInput):
    """The configuration is wrong; `problems` are whole sentences, one a fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RecorderError(EvidencedError):
    """An exchange with a recorder gave no usable answer.

    `is_sent` is whether the recorder may have acted on it: then the outcome is unknown
    and nothing is repeated blindly.
    """

    def __init__(self, reason: Reason, text: str, *, is_sent: bool) -> None:
        super().__init__(text)
        self.reason = reason
        self.is_sent = is_sent


class StoreError(EvidencedError):
    """The store could not commit: what it was given is not durable."""


STANDBY = "standby"
"""What the API calls it that another node does the work."""


class HeldElsewhere(StoreError):  # noqa: N818 - says where the store is
    """Another node is the one that writes; this one may wait for its turn."""

    def __init__(self, node: str, where: str) -> None:
        super().__init__(f"{where}: node {node} has it, this one stands by")
        self.node = node


class StoreAway(StoreError):  # noqa: N818 - says what to wait for
    """The database cannot be reached now; it may be there again in a while."""


class LeaseLost(StoreError):  # noqa: N818 - says what happened
    """What this step is about is another node's now: nothing of it may be kept."""


class RowRefused(StoreError):  # noqa: N818 - says what the store did
    """The store works, and refuses these rows: a bug, and no second try helps."""


def first_of(group: ExceptionGroup[E]) -> E:
    """The first error of a task group that failed: the others followed from it."""
    inner = group.exceptions[0]
    return first_of(inner) if isinstance(inner, ExceptionGroup) else inner
