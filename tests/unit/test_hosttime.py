"""Who keeps the host's clock, and what can be known of it."""

from pathlib import Path

import pytest

from evidenced.host.hosttime import STA_UNSYNC, in_sync, kernel_flags


def host(tmp_path: Path, *names: str) -> Path:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.touch()
    return tmp_path


TIMESYNCD = "systemd/timesync/"
SET = "systemd/timesync/synchronized"
CHRONY = "chrony/"


@pytest.mark.parametrize(
    ("names", "flags", "known"),
    [
        ((TIMESYNCD, SET), STA_UNSYNC, True),
        ((TIMESYNCD, SET), None, True),
        ((TIMESYNCD,), STA_UNSYNC, False),
        ((TIMESYNCD,), None, False),
        ((TIMESYNCD,), 0, True),  # somebody else has set it
        ((CHRONY,), STA_UNSYNC, False),
        ((CHRONY,), 0x2001, True),
        # the sandbox forbids to ask
        ((CHRONY,), None, None),
        # a container, a virtual machine: the host outside keeps it
        ((), STA_UNSYNC, None),
        ((), None, None),
        ((), 0, True),
    ],
)
def test_it_is_known_or_not(
    tmp_path: Path, names: tuple[str, ...], flags: int | None, known: bool | None
) -> None:
    assert in_sync(host(tmp_path, *names), lambda: flags) is known


def test_the_kernel_is_asked_without_setting_anything() -> None:
    flags = kernel_flags()
    assert flags is None or 0 <= flags < 1 << 16
