"""What checking a thousand folders costs, beside sha256sum over the same files."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import pytest
from recording import report

from evidenced.evidence.signature import Signer, make_key
from fakes.records import lay_out

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

FOLDERS = 1000
FILES = 2
SIZE = 300_000
ROUNDS = 3
MOST = 1.2
"""The time of `verify` over that of sha256sum: it reads no file twice.

Footage is larger than these files, so what a folder costs counts for less."""


@pytest.fixture
def share(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    signer = Signer((tmp_path / "key").read_text)
    root = tmp_path / "share"
    for n in range(FOLDERS):
        files = {f"{each}.dvn": os.urandom(SIZE) for each in range(FILES)}
        lay_out(root / f"i{n}", files, signer)
    return root


def took(command: Sequence[str]) -> tuple[float, float]:
    """Seconds by the clock, and of the processors: others may work beside it."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    own = after.children_user + after.children_system
    own -= before.children_user + before.children_system
    return time.perf_counter() - begun, own


def test_a_thousand_folders_take_no_longer_than_their_hashes(share: Path) -> None:
    ours = [sys.executable, "-m", "evidenced", "verify", str(share)]
    theirs = ["find", str(share), "-type", "f", "-exec", "sha256sum", "{}", "+"]
    took(theirs)  # into the cache, if it is large enough
    pairs = [(took(ours), took(theirs)) for _ in range(ROUNDS)]
    ratio, cpu_ratio = (
        median(mine[n] / yours[n] for mine, yours in pairs) for n in (0, 1)
    )
    report(
        "verify of 1,000 folders",
        verify_s=median(mine for (mine, _), _ in pairs),
        sha256sum_s=median(yours for _, (yours, _) in pairs),
        ratio=ratio,
        cpu_ratio=cpu_ratio,
    )
    assert ratio <= MOST
