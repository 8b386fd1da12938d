"""What the vendor's numbers mean; what follows from it is `test_retry`."""

import pytest

from evidenced.core.errors import Reason
from evidenced.core.exports.retry import COURSES
from evidenced.sense.codes import ACTION_CODES, EXPORT_CODES, answer_of


def test_every_reason_of_an_answer_has_a_course() -> None:
    assert set(EXPORT_CODES.values()) | {Reason.RECORDER_FAULT} <= set(COURSES)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (-48, Reason.NO_VIDEO),
        (-2, Reason.NO_DEVICE),
        (-17, Reason.NO_SERVER),
        (-58, Reason.BAD_PATH),
        (-61, Reason.BAD_PATH),
        (-60, Reason.DISK_FULL),
        (-4, Reason.BAD_REQUEST),
        (-33, Reason.BAD_REQUEST),
        (-34, Reason.BAD_REQUEST),
        (-37, Reason.BAD_REQUEST),
        (-57, Reason.BAD_REQUEST),
        (-18, Reason.RECORDER_FAULT),
        (-53, Reason.RECORDER_FAULT),
        (-1, Reason.RECORDER_FAULT),
        (-999, Reason.RECORDER_FAULT),
        (0, None),
        (3, None),
    ],
)
def test_what_an_answer_to_an_export_means(code: int, reason: Reason | None) -> None:
    answer = answer_of(code, "text", EXPORT_CODES)
    assert (answer.reason, answer.code, answer.text) == (reason, str(code), "text")


def test_a_number_means_what_its_own_command_says() -> None:
    assert answer_of(-1, "", ACTION_CODES).reason is Reason.NO_LICENSE
    assert answer_of(-58, "", ACTION_CODES).reason is Reason.RECORDER_FAULT
