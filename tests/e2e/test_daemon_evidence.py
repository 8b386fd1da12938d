"""The evidence record of the real process, beside what the simulator exported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fakes.installation import Installation, InstallationFactory, Recorder, active
from fakes.mosquitto import Peer
from fakes.proofs import tagged_everything


async def test_footage_is_recorded_signed_and_checked(
    installation_factory: InstallationFactory, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    mount = disk / "V" / "evidence"
    mount.mkdir(parents=True)
    (mount / ".share").touch()
    made = evidenced("keygen", str(tmp_path / "key"), "--json")
    key = json.loads(made.stdout)["public_key"]
    site = await installation_factory(main=Recorder(directory=disk))
    site.config["destinations"]["nas"] |= {"mount": str(mount), "marker": ".share"}
    site.config["evidence"] = {
        "key": {"file": str(tmp_path / "key")},
        "stable": "1s",
    }
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    line = await daemon.line("evidence record written")
    incident = await recorded(site, line["incident"])
    [folder] = incident["record"]["folders"]
    here = mount / f"forced-{incident['id']}"
    assert folder["path"] == rf"V:\evidence\forced-{incident['id']}"
    assert evidenced("verify", str(here), "--key", key).returncode == 0
    said = json.loads((here / "incident.json").read_text())
    assert said["rule"]["name"] == "forced"
    assert [entry["event"] for entry in incident["history"]][-1] == "recorded"
    assert evidenced("audit", "verify", "-c", str(site.file)).returncode == 0
    await daemon.stop()
    (tmp_path / "lost").mkdir()
    site.config["daemon"]["state_dir"] = str(tmp_path / "lost")
    daemon = await site.start()
    assert await site.rows() == []
    again = "incidents", "import", str(mount), "-c", str(site.file)
    taken = evidenced(*again)
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.startswith(f"imported {incident['id']}: ")
    back = await recorded(site, incident["id"])
    assert (back["state"], back["verified"]) == ("exported", "recorded")
    assert back["clips"] == incident["clips"]
    assert json.loads(evidenced(*again, "--json").stdout)["known"] == 1
    retried = evidenced("incidents", "retry", incident["id"], "--again", *again[-2:])
    assert (retried.returncode, "was imported" in retried.stderr) == (1, True)
    assert evidenced("audit", "verify", "-c", str(site.file)).returncode == 0
    footage = next(here.glob(said["files"][0]["name"]))
    footage.write_bytes(footage.read_bytes() + b"!")
    found = evidenced("verify", str(here), "--key", key)
    assert found.returncode == 1
    assert f"altered: {footage.name}" in found.stderr
    await daemon.stop()
    lost = site.config["daemon"]["state_dir"] = str(tmp_path / "lost again")
    Path(lost).mkdir()
    await site.start()
    refused = evidenced(*again)
    assert refused.returncode == 1
    assert f"{here} is not taken: altered: {footage.name}" in refused.stderr


async def recorded(site: Installation, name: str) -> Any:
    return await site.get(f"/api/incidents/{name}")


def evidenced(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "evidenced", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


async def test_protected_footage_is_tagged_before_its_window_ends(
    site: Installation,
) -> None:
    site.config["rules"][0] |= {"protect": True, "post_roll": "30s"}
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    line = await daemon.line("footage is protected")
    incident = await site.get(f"/api/incidents/{line['incident']}")
    assert incident["state"] == "recording"
    [tag] = incident["tags"]
    assert (tag["camera"], tag["state"]) == ("main-1", "confirmed")
    journal = site.recorders["main"].journal
    [record] = journal.tags
    assert (record.server, record.device) == ("1001", "2001")
    assert tagged_everything(journal) == []
    async with site.http.post(
        f"/api/incidents/{incident['id']}/cancel", headers={"X-Evidenced": "1"}
    ) as response:
        cancelled = await response.json()
    [tag] = cancelled["tags"]
    assert tag["state"] == "confirmed"
    assert "until a person releases" in cancelled["history"][-1]["detail"]["tags"]
