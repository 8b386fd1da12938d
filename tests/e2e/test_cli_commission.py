"""`evidenced commission` and `status` beside a real daemon, and after it."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

from fakes.installation import InstallationFactory, Recorder, active, rule
from fakes.mosquitto import Peer


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


async def evidenced(*arguments: str) -> Done:
    """The recorder of the test answers meanwhile: it is on this loop."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evidenced", *arguments), stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_a_site_is_ticked_off_rule_by_rule(
    installation_factory: InstallationFactory, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    mount = disk / "V" / "evidence"
    mount.mkdir(parents=True)
    (mount / ".share").touch()
    site = await installation_factory(main=Recorder(directory=disk))
    site.config["destinations"]["nas"] |= {"mount": str(mount), "marker": ".share"}
    site.config["evidence"] = {"stable": "1s"}
    site.config["rules"].append(
        rule("panic", cameras=["main-2"]) | {"label": "Panic <b>"}
    )
    daemon = await site.start()
    file, html = str(site.file), tmp_path / "acceptance.html"
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
        await daemon.line("evidence record written")
        half = await evidenced("commission", "-c", file, "--json")
        assert half.returncode == 1
        told = json.loads(half.stdout)
        found = {each["name"]: each for each in [*told["rules"], *told["cameras"]]}
        assert found["forced"]["ticked"]
        assert found["main-1"]["ticked"]
        assert not found["Panic <b>"]["ticked"]
        assert found["main-2"]["note"] == "never"
        peer.publish("access/hq/panic", active())
        await daemon.line("evidence record written", 2)
    whole = await evidenced("commission", "-c", file, "--html", str(html))
    assert whole.returncode == 0, whole.stdout
    assert "2 of 2 rules and 2 of 2 cameras" in whole.stdout
    page = html.read_text()
    assert "Panic &lt;b&gt;" in page
    assert "<b>" not in page
    later = await evidenced("commission", "-c", file, "--since", "2099-01-01")
    assert later.returncode == 1
    assert "0 of 2 rules" in later.stdout

    good = await evidenced("status", "-c", file, "--json")
    assert good.returncode == 0, good.stdout
    assert json.loads(good.stdout)["verdict"]["mood"] == "good"
    assert json.loads(good.stdout).keys() == (await site.get("/api/status")).keys()
    assert await daemon.stop() == 0
    gone = await evidenced("status", "-c", file)
    assert gone.returncode == 1
    assert "No daemon answers" in gone.stdout
    assert "Panic" in gone.stdout  # the last alarm


async def test_where_nothing_is_known(tmp_path: Path) -> None:
    file = tmp_path / "evidenced.toml"
    state = tmp_path / "state"
    file.write_text(
        f"daemon.state_dir = '{state}'\nmqtt.url = 'mqtt://127.0.0.1:1'\n"
        "web.listen = '127.0.0.1:1'\n"
    )
    for command in ("status", "commission"):
        done = await evidenced(command, "-c", str(file))
        assert done.returncode == 2
        assert "nothing was stored yet" in done.stderr
        assert "Traceback" not in done.stderr
