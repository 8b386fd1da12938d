"""Commands: on this host by the daemon's socket, from another one over TLS."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from typing import Any

import pytest

from evidenced.host.socketfile import account_name
from fakes.certificates import Certificates
from fakes.installation import DEADLINE_S, Installation, active
from fakes.mosquitto import Peer
from fakes.site import HASHED, PASSWORD


async def evidenced(*arguments: str, **environ: str) -> tuple[int | None, str, str]:
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "evidenced", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **environ},
    )
    async with asyncio.timeout(DEADLINE_S):
        said = await process.communicate()
    return process.returncode, said[0].decode(), said[1].decode()


def shut(site: Installation) -> None:
    """The page speaks TLS and asks who is there."""
    made = Certificates(site.folder)
    made.issue()
    made.authority.cert_pem.write_to_path(str(site.folder / "ca.pem"))
    site.config["web"] |= {
        "users": {"anna": HASHED},
        "tls": {"certificate": str(made.certificate), "key": {"file": str(made.key)}},
    }


@pytest.mark.timeout(300)  # five commands, on whatever machine
async def test_who_asks_is_known_here_and_there(site: Installation) -> None:
    shut(site)
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    line: Any = await daemon.line("incident opened")
    here = "-c", str(site.file)
    page = f"https://127.0.0.1:{site.web_port}"
    there = "--url", page, "--user", "anna"
    trusted = {"SSL_CERT_FILE": str(site.folder / "ca.pem")}

    # here no password is asked for, whatever the page asks
    code, said, _ = await evidenced("incidents", "list", "--json", *here)
    assert code == 0
    [row] = json.loads(said)["incidents"]
    assert row["id"] == line["incident"]

    # there one is asked for, by a page whose certificate is trusted
    list_ = "incidents", "list", "--json"
    code, said, _ = await evidenced(
        *there, *list_, EVIDENCED_PASSWORD=PASSWORD, **trusted
    )
    assert (code, len(json.loads(said)["incidents"])) == (0, 1)
    code, said, fault = await evidenced(
        *there, *list_, EVIDENCED_PASSWORD="wrong", **trusted
    )
    assert (code, said) == (1, "")
    assert "the name or the password is wrong" in fault
    code, _, fault = await evidenced(*there, *list_, EVIDENCED_PASSWORD=PASSWORD)
    assert code == 1
    assert f"nothing answers at {page}" in fault

    # the history names who did what, behind sudo too
    comment = "--rule", "forced", "--for", "1h", "--comment", "x"
    code, said, _ = await evidenced(
        *("silences", "add", *comment, "--json", *here), SUDO_USER="bert"
    )
    assert code == 0
    account = account_name(os.geteuid())
    assert json.loads(said)["author"] == f"bert ({account})"
    code, said, _ = await evidenced(
        *(*there, "silences", "add", *comment, "--json", *here),
        EVIDENCED_PASSWORD=PASSWORD,
        **trusted,
    )
    assert code == 0
    assert json.loads(said)["author"] == "anna"
