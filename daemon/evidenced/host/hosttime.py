"""Whether the host's wall clock is known to be right.

Who keeps it tells in different ways, and a sandbox or a container may hide all of them:
then nobody knows, which is not the same as wrong.

    systemd-timesyncd   a file in /run/systemd/timesync once it has set the clock
                        (systemd-timesyncd.service(8), FILES)
    chrony, ntpd        the kernel's flag STA_UNSYNC is gone (adjtimex(2)), which our
                        unit's ProtectClock= and SystemCallFilter= forbid to ask for:
                        that would cost 0.3 of exposure. Where nobody sets the
                        clock the flag says nothing: a virtual machine's is often kept
                        from outside.
"""

import os
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

STA_UNSYNC = 0x0040
_TIMEX_BYTES = 512
"""More than any struct timex."""
_STATUS = struct.Struct("@I4x4li") if struct.calcsize("l") == 8 else None  # noqa: PLR2004
"""modes, offset, freq, maxerror, esterror, status; where a long has eight bytes."""


@cache
def _adjtimex() -> Callable[[bytearray], int] | None:
    """The C library's; found once, for each look at a library is a class of its own."""
    try:
        import ctypes  # noqa: PLC0415 - not there in a Python that misses libffi

        function = ctypes.CDLL(None).adjtimex
    except (ImportError, AttributeError, OSError):
        return None
    kind = ctypes.c_char * _TIMEX_BYTES
    return lambda timex: int(function(kind.from_buffer(timex)))


def kernel_flags() -> int | None:
    """The status of the kernel's clock; None where it may not be asked."""
    ask = _adjtimex()
    if ask is None or _STATUS is None:
        return None
    timex = bytearray(_TIMEX_BYTES)  # modes 0: only reads
    if ask(timex) < 0:
        return None
    status: int = _STATUS.unpack_from(timex)[-1]
    return status


def in_sync(
    run: Path = Path("/run"), flags: Callable[[], int | None] = kernel_flags
) -> bool | None:
    """True, False, or None: the host does not tell. Cheap, never raises."""
    timesyncd = run / "systemd" / "timesync"
    if os.path.exists(timesyncd / "synchronized"):  # noqa: PTH110 - denied is unknown
        return True
    status = flags()
    if status is not None and not status & STA_UNSYNC:
        return True
    if timesyncd.is_dir() or (status is not None and (run / "chrony").is_dir()):
        return False
    return None
