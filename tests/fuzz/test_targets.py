"""Hypothesis over everything that takes input from outside; atheris goes further."""

import gc
import resource
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import TARGETS, Target

SHORT = 8_000
TIMES = 5
QUADRATIC = 15
"""Five times as long costs 25 times as much then, and no more than this otherwise."""
NOTHING_S = 0.5
"""Less says nothing of how it grows."""
MUCH_KB = 300_000


@pytest.mark.parametrize("name", TARGETS)
def test_good_samples_are_taken(name: str) -> None:
    for sample in TARGETS[name].samples:
        TARGETS[name].run(sample)


@pytest.mark.parametrize("name", TARGETS)
def test_anything_is_taken_or_refused_as_promised(name: str) -> None:
    target = TARGETS[name]
    pieces = st.lists(
        st.sampled_from(target.words) | st.binary(max_size=6), max_size=40
    )
    made = st.binary(max_size=200) | pieces.map(b"".join)
    changed = st.tuples(
        st.sampled_from(target.samples or (b"",)), st.integers(0, 400), made
    ).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :])

    @given(made | changed)
    def run(data: bytes) -> None:
        target.run(data)

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_much_of_one_thing_costs_no_more_than_its_length(name: str) -> None:
    """Time and memory are bounded: what is quadratic or deep would show here."""
    target = TARGETS[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for word in target.words:
        for begin, end in ((b"", b""), (target.begin, target.end)):
            much = (word * (TIMES * SHORT // len(word)))[: TIMES * SHORT]
            took = _cost(target, begin + much + end)
            if took < NOTHING_S:
                continue
            short = _cost(target, begin + much[:SHORT] + end)
            assert took < QUADRATIC * short, f"{word!r} again and again took {took} s"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MUCH_KB, f"it grew by {grown} kB"


def _cost(target: Target, data: bytes) -> float:
    """Of the processor, in seconds: neither what else the machine does, nor garbage."""
    gc.disable()
    try:
        begun = time.process_time()
        target.run(data)
        return time.process_time() - begun
    finally:
        gc.enable()
