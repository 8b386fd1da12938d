"""The soak's gauges: a leak is found, and what comes to rest is none."""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from soak.gauges import Sample, growth, told

MESSAGES = 27_000
"""Of an hour, the first quarter of which is warm-up and not judged."""
REST = Sample(
    at=0,
    memory=132_000,
    anonymous=102_000,
    objects=525_000,
    used=27_000,
    free=8_800,
    sqlite=7_400,
    files=18,
    threads=7,
    journal=16_384,
    store=3_100,
)
"""What was measured."""
NOISE = {"memory": 100, "anonymous": 100, "objects": 2000, "used": 50, "free": 300}


def hour(grown: Callable[[float], dict[str, float]]) -> list[Sample]:
    """Looks every 5 s; `grown` says what is more after a share of the hour."""
    random = Random(3)  # noqa: S311 - repeatable on purpose
    samples = []
    for second in range(900, 3600, 5):
        more = grown(second / 3600)
        values = {
            name: getattr(REST, name)
            + more.get(name, 0.0)
            + random.uniform(-1, 1) * NOISE.get(name, 0)
            for name in ("memory", "anonymous", "objects", "used", "free", "sqlite")
        }
        samples.append(replace(REST, at=float(second), **values))
    return samples


def test_rest_is_no_growth() -> None:
    assert growth(hour(lambda _share: {})) == []


def test_caches_that_fill_up_are_no_growth() -> None:
    def filling(share: float) -> dict[str, float]:
        full = 1 - math.exp(-share * 12)
        return {"memory": 3000 * full, "used": 2000 * full, "sqlite": 3000 * full}

    assert growth(hour(filling)) == []


@pytest.mark.parametrize("size", [100, 5000])
def test_a_hundred_bytes_of_each_message_are_found(size: int) -> None:
    """In the C library's memory, where Python's larger objects are too."""
    leak = size * MESSAGES / 1024
    faults = growth(hour(lambda share: {"memory": leak * share, "used": leak * share}))
    assert any(fault.startswith("used: ") for fault in faults)


def test_an_object_of_each_message_is_found() -> None:
    """However small: it lies in an arena of Python's own."""
    faults = growth(hour(lambda share: {"objects": MESSAGES * share}))
    assert [fault.split(":")[0] for fault in faults] == ["objects"]


def test_fragments_are_told_from_a_leak() -> None:
    faults = growth(hour(lambda share: {"memory": 16e3 * share, "free": 16e3 * share}))
    assert {fault.split(":")[0] for fault in faults} == {"memory", "free"}


def test_the_table_has_a_line_for_each_figure() -> None:
    lines = told(hour(lambda _share: {})).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        *("memory", "anonymous", "objects", "used", "free", "sqlite"),
        *("files", "threads", "journal", "store"),
    ]
