"""What only the process itself knows of its memory.

Its resident size alone does not tell a leak from fragmentation: a leak is in use. What
Python would collect sooner or later is collected first, for it is neither: between two
of its own full collections, five minutes apart, the objects go up and down by a tenth.
"""

import _sqlite3
import ctypes
import gc
import json
import sys
import threading
import time
from pathlib import Path

PERIOD_S = 30.0
KILOBYTE = 1024


class _Mallinfo2(ctypes.Structure):
    """As of malloc.h: over all arenas of the C library."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def figures() -> dict[str, float]:
    """Objects of Python by count, the rest in KiB."""
    gc.collect()
    info, sqlite = _mallinfo2(), _sqlite_used()
    return {
        "objects": sys.getallocatedblocks(),
        "used": (info.uordblks + info.hblkhd - sqlite) / KILOBYTE,
        "free": info.fordblks / KILOBYTE,
        "sqlite": sqlite / KILOBYTE,
    }


_mallinfo2 = ctypes.CDLL(None).mallinfo2
_mallinfo2.restype = _Mallinfo2
_sqlite_used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
_sqlite_used.restype = ctypes.c_int64


def keep_telling(file: Path) -> None:
    """Write them to this file, now and again and again."""
    threading.Thread(target=_tell, args=(file,), daemon=True).start()


def _tell(file: Path) -> None:
    fresh = file.with_suffix(".new")
    while True:
        fresh.write_text(json.dumps(figures()))
        fresh.replace(file)
        time.sleep(PERIOD_S)
