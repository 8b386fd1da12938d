"""`evidenced verify` and `evidenced keygen`: records, and the key that signs them."""

from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import AsJson
from evidenced.cli.terminal import Failed, complain, say, say_json
from evidenced.core.errors import BadInput
from evidenced.evidence.signature import MOST_BYTES, make_key, read_public_key
from evidenced.evidence.verify import Finding
from evidenced.evidence.verify import verify as check

ALTERED = 1


def verify(
    folder: Annotated[
        Path,
        typer.Argument(help="With the footage and incident.json.", metavar="FOLDER"),
    ],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="PUB",
            help="The public key that keygen printed, or a file that holds it: the "
            "record must be signed by it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a folder with footage against its evidence record.

    Every file is hashed again. Works on any machine, without configuration, store or
    daemon. Exit 0: intact. 1: altered, each file named. 2: no record, or unreadable.

    Example: `evidenced verify /mnt/evidence/door-20261123-061530-k3f9 --key
    /etc/evidenced/evidence.pub`
    """
    found = check(folder, expected=None if key is None else _expected(key))
    if as_json:
        say_json(as_value(found))
        raise typer.Exit(0 if found.is_intact else ALTERED)
    for line in faults_of(found):
        complain(line)
    say(f"incident {found.incident}, revision {found.revision} of its record")
    say(f"signature: {found.signature}")
    if not found.is_unaltered:
        raise Failed(f"{folder} was altered", code=ALTERED)
    if found.is_by_another:
        raise Failed(
            f"{folder}: nothing is altered, but key {found.key} signed it, not the one "
            "asked for; compare the key ids that keygen printed",
            code=ALTERED,
        )
    say(f"intact: {found.files} files, {found.size_bytes} bytes")


def faults_of(found: Finding) -> list[str]:
    """One line for each thing that is not as it was."""
    return [
        *found.faults,
        *(f"altered: {name}" for name in found.altered),
        *(f"missing: {name}" for name in found.missing),
        *(f"added: {name}" for name in found.added),
    ]


def as_value(found: Finding) -> dict[str, object]:
    return {
        "intact": found.is_intact,
        "folder": str(found.folder),
        "incident": found.incident,
        "revision": found.revision,
        "sha256": found.sha256,
        "files": found.files,
        "bytes": found.size_bytes,
        "altered": found.altered,
        "missing": found.missing,
        "added": found.added,
        "faults": found.faults,
        "signature": found.signature,
        "key": found.key,
    }


def _expected(key: str) -> bytes:
    try:
        path = Path(key)
        if path.is_file():
            with path.open("rb") as file:
                return read_public_key(file.read(MOST_BYTES).decode())
        return read_public_key(key)
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"--key {key!r} cannot be read") from None
    except BadInput as error:
        raise BadInput(f"--key {key!r}: {error}") from None


def keygen(
    file: Annotated[
        Path,
        typer.Argument(
            help="Where the private key goes. It must not exist.", metavar="FILE"
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Make the Ed25519 key that signs evidence records.

    The private key is written to FILE, readable by its owner only; name it in
    [evidence] key. The public key is printed: keep it elsewhere, it is what
    `evidenced verify --key` checks records with years later.

    Example: `evidenced keygen /etc/evidenced/credentials/evidence-key`
    """
    made = make_key(file)
    if as_json:
        say_json({"key": made.key, "public_key": made.public_key, "pem": made.pem})
        return
    say(f"private key  {file}")
    say(f"key id       {made.key}")
    say(f"public key   {made.public_key}")
    say("")
    for line in made.pem.splitlines():
        say(line)
