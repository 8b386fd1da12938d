"""`evidenced keygen`: the key that signs evidence records."""

from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import AsJson
from evidenced.cli.terminal import say, say_json
from evidenced.evidence.signature import make_key


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
