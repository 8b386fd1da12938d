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


def took(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def test_a_thousand_folders_take_no_longer_than_their_hashes(share: Path) -> None:
    ours = [sys.executable, "-m", "evidenced", "verify", str(share)]
    theirs = ["find", str(share), "-type", "f", "-exec", "sha256sum", "{}", "+"]
    took(theirs)  # into the cache, if it is large enough
    pairs = [(took(ours), took(theirs)) for _ in range(ROUNDS)]
    ratio = median(mine / yours for mine, yours in pairs)
    report(
        "verify of 1,000 folders",
        verify_s=median(mine for mine, _ in pairs),
        sha256sum_s=median(yours for _, yours in pairs),
        ratio=ratio,
    )
    assert ratio <= MOST
