"""Coverage-guided: `pytest -m fuzz tests/fuzz --fuzz-seconds 300 -s`."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS

TESTS = Path(__file__).parents[1]
OVERHEAD_S = 600
"""Instrumenting all modules takes minutes beside other work."""


@pytest.mark.fuzz
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", TARGETS)
def test_atheris_finds_nothing(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed; tests/README.md says how")
    seconds = request.config.getoption("fuzz_seconds")
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.atheris_run", name, str(seconds)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + OVERHEAD_S,
        check=False,
    )
    told = done.stdout + done.stderr
    found = sorted(tmp_path.glob("*-*[0-9a-f]"))
    left = [f"{each.name}: {each.read_bytes()[:2000]!r}" for each in found]
    assert done.returncode == 0, "\n".join([told[-6000:], *left])
    runs = [line for line in told.splitlines() if "number_of_executed_units" in line]
    print(name, *runs)  # noqa: T201 - the proof
