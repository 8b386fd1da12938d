"""Included files in the real process: ready-made rules, and a reload of them."""

import signal

from fakes.installation import Installation, active
from fakes.mosquitto import Peer

MORE = '[[rules]]\nname = "held"\ntopics = ["access/hq/held"]\ncameras = ["main-2"]\n'
QUICK = 'pre_roll = "1s"\npost_roll = "1s"\n'


async def test_a_ready_made_rule_is_included_changed_and_read_anew(
    site: Installation,
) -> None:
    site.config = {"include": ["systems/satel.toml", "more.toml"], **site.config}
    site.config["groups"] = {"satel": ["main-1"]}
    change = {"name": "satel-zone", "pre_roll": "1s", "post_roll": "1s"}
    site.config["rules"].append(change)
    more = site.folder / "more.toml"
    more.write_text("")
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("satel/vault_door/state", "ON")
        peer.publish("satel/vault_door/state", "OFF")
        (incident,) = await site.all_in("exported", count=1)
        assert incident["rule"] == "satel-zone"
        more.write_text(MORE + "when = 'a = b'\n")
        daemon.signal(signal.SIGHUP)
        line = await daemon.line("configuration is wrong; the one in force stays")
        assert "more.toml: rules[0].when: expression" in str(line["problems"])
        more.write_text(MORE + QUICK)
        daemon.signal(signal.SIGHUP)
        await daemon.line("configuration read and in force")
        await daemon.subscribed(2)
        peer.publish("access/hq/held", active())
        incidents = await site.all_in("exported", count=2)
    assert {each["rule"] for each in incidents} == {"satel-zone", "held"}
