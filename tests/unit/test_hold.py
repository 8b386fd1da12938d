from datetime import timedelta

from evidenced.core.errors import Reason
from evidenced.core.exports.hold import hold_after, holds_destination
from evidenced.core.trust import exactly
from fakes.incident import patience, t


def test_only_what_tells_of_a_destination_holds_it() -> None:
    assert {
        reason for reason in Reason if reason in _ANSWERS and holds_destination(reason)
    } == {
        Reason.BAD_PATH,
        Reason.DISK_FULL,
    }


_ANSWERS = {
    Reason.NO_VIDEO,
    Reason.NO_DEVICE,
    Reason.BAD_REQUEST,
    Reason.BAD_PATH,
    Reason.DISK_FULL,
    Reason.RECORDER_FAULT,
    Reason.EXPORT_FAILED,
}


def test_a_hold_waits_longer_each_time_and_remembers_since_when() -> None:
    first = hold_after(None, Reason.BAD_PATH, "Incorrect path", patience(t("12:00")))
    assert first.failures == 1
    assert first.next_try == t("12:00:15")
    assert first.is_closed(exactly(t("12:00")))
    assert first.is_closed(exactly(t("12:00:14")))
    assert not first.is_closed(exactly(t("12:00:15")))
    second = hold_after(first, Reason.BAD_PATH, "Incorrect path", patience(t("12:01")))
    assert second.since == t("12:00")
    assert second.next_try - t("12:01") == timedelta(seconds=30)


def test_a_full_disk_is_asked_four_times_slower() -> None:
    hold = hold_after(None, Reason.DISK_FULL, "full", patience(t("12:00")))
    assert hold.next_try == t("12:01")
