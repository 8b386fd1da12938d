"""What a process and its store take, and whether that stays the same."""

import json
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import linear_regression, median

KILOBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look. Sizes in KiB; `at` in seconds.

    `memory` is resident, `anonymous` what of it is no file. `objects` of Python are
    counted; the small ones are in no other figure. `sqlite` is what SQLite holds,
    caches of pages mostly, `used` what the C library has given to all others, and
    `free` what it keeps: a leak is in use, fragmentation is free.
    """

    at: float
    memory: float
    anonymous: float
    objects: float
    used: float
    free: float
    sqlite: float
    files: float
    threads: float
    journal: float
    store: float


def look(pid: int, store: Path, inside: Path) -> Sample:
    """What the process with this store takes now; `inside`: what it says itself."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return Sample(
        at=time.monotonic(),
        memory=float(status["VmRSS"].split()[0]),
        anonymous=float(status["RssAnon"].split()[0]),
        **json.loads(inside.read_text()),
        threads=float(status["Threads"]),
        files=float(len(list(Path(f"/proc/{pid}/fd").iterdir()))),
        journal=_kilobytes(store.with_name(f"{store.name}-wal")),
        store=_kilobytes(store),
    )


def _kilobytes(file: Path) -> float:
    return file.stat().st_size / KILOBYTE if file.exists() else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """How much more the end may take than the middle: a share and an amount."""

    share: float
    amount: float


LIMITS = {
    "memory": Slack(share=0.02, amount=2 * KILOBYTE),
    "anonymous": Slack(share=0.02, amount=2 * KILOBYTE),
    # less than a hundred bytes of each message, or one object: see unit/test_gauges.py
    "objects": Slack(share=0.0, amount=6000),
    "used": Slack(share=0.0, amount=0.6 * KILOBYTE),
    "free": Slack(share=0.25, amount=2 * KILOBYTE),
    # its caches of pages follow the store until they are full, 16 MB a connection
    "sqlite": Slack(share=0.25, amount=KILOBYTE),
    "files": Slack(share=0.0, amount=4),
    "threads": Slack(share=0.0, amount=2),
    "journal": Slack(share=0.25, amount=8 * KILOBYTE),
    "store": Slack(share=0.25, amount=KILOBYTE),
}


def warm(samples: Sequence[Sample], after_s: float) -> list[Sample]:
    """Those of after the warm-up."""
    return [each for each in samples if each.at >= samples[0].at + after_s]


def growth(samples: Sequence[Sample]) -> list[str]:
    """What the last third takes more than the first third of these, beyond its limit.

    By the median: what is up for a moment, as connections are, is not held for ever.
    """
    third = len(samples) // 3
    assert third > 0, "too few samples"
    faults = []
    for name, slack in LIMITS.items():
        first = median(getattr(each, name) for each in samples[:third])
        last = median(getattr(each, name) for each in samples[-third:])
        if last > first * (1 + slack.share) + slack.amount:
            faults.append(f"{name}: {first:.0f}, in the end {last:.0f}")
    return faults


def told(samples: Sequence[Sample]) -> str:
    """A table for people: first, last, most, and the slope an hour."""
    lines = [f"{'':10}{'first':>10}{'last':>10}{'most':>10}{'an hour':>12}"]
    times = [each.at for each in samples]
    for name in [field.name for field in fields(Sample)][1:]:
        values = [float(getattr(each, name)) for each in samples]
        slope, _ = linear_regression(times, values)
        lines.append(
            f"{name:10}{values[0]:10.0f}{values[-1]:10.0f}{max(values):10.0f}"
            f"{slope * 3600:12.1f}"
        )
    return "\n".join(lines)


def save(samples: Sequence[Sample], file: Path) -> None:
    """As comma-separated values, for a picture."""
    head = ",".join(field.name for field in fields(Sample))
    rows = [",".join(f"{value:.1f}" for value in astuple(each)) for each in samples]
    file.write_text("\n".join([head, *rows]) + "\n")
