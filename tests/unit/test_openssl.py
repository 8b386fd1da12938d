"""A record's signature can be checked without this program, as README.md says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from evidenced.evidence.signature import Signer

README = Path(__file__).parents[2] / "systemd/README.md"
RECORD = b'{"incident": "20261123-061530-k3m9x2pa"}\n'


def words(folder: Path) -> str:
    """The block of commands that ends in openssl's."""
    blocks = re.findall(r"(?:^    .*\n)+", README.read_text(), re.MULTILINE)
    (found,) = [each for each in blocks if "openssl pkeyutl" in each]
    return found.replace("/tmp/", f"{folder}/")  # noqa: S108 - as people would


@pytest.mark.parametrize("is_altered", [False, True])
def test_the_words_tell_an_altered_record(tmp_path: Path, is_altered: bool) -> None:
    if shutil.which("openssl") is None:
        reason = "openssl is not installed (Debian: apt install openssl)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    made = Ed25519PrivateKey.generate()
    key = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signature = Signer(key.decode).sign(RECORD)
    assert signature is not None
    (tmp_path / "incident.json").write_bytes(RECORD + b"x" * is_altered)
    (tmp_path / "incident.json.sig").write_bytes(signature)
    # Debian's sh: no words of bash
    done = subprocess.run(
        ["sh", "-c", words(tmp_path)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ("Verified Successfully" in done.stdout) is not is_altered, done.stderr
    assert (done.returncode == 0) is not is_altered
