"""Home Assistant's manual panel with MQTT and its statestream, without its frontend.

Run by the Python that has it: `python ha_speaks.py FOLDER PORT`. Each line of its input
is a service of the panel: arm_away, trigger, disarm. "stop" ends it in good order.
"""

import asyncio
import json
import sys
from pathlib import Path

import homeassistant.core  # before its loader, which imports it
from homeassistant import loader
from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.config_entries import ConfigEntries
from homeassistant.setup import async_setup_component

FOLDER, PORT = Path(sys.argv[1]), int(sys.argv[2])
PANEL = "alarm_control_panel.house"
CONFIG = {
    "alarm_control_panel": [
        {
            "platform": "manual_mqtt",
            "name": "House",
            "state_topic": "home/alarm",
            "command_topic": "home/alarm/set",
            "code_arm_required": False,
            "pending_time": 0,
            "delay_time": 1,
            "trigger_time": 600,
        }
    ],
    "mqtt_statestream": {
        "base_topic": "homeassistant",
        "publish_attributes": True,
        "include": {"domains": ["alarm_control_panel"]},
    },
}
ENTRY = {
    "entry_id": "1" * 32,
    "version": 1,
    "minor_version": 1,
    "domain": "mqtt",
    "title": "broker",
    "data": {"broker": "127.0.0.1", "port": PORT, "discovery": False},
    "options": {},
    "pref_disable_new_entities": False,
    "pref_disable_polling": False,
    "source": "user",
    "unique_id": None,
    "disabled_by": None,
}
STORED = {
    "version": 1,
    "minor_version": 1,
    "key": "core.config_entries",
    "data": {"entries": [ENTRY]},
}


async def main() -> None:
    storage = FOLDER / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (storage / "core.config_entries").write_text(json.dumps(STORED))
    (FOLDER / "configuration.yaml").touch()
    home = homeassistant.core.HomeAssistant(str(FOLDER))
    home.config.skip_pip = True
    loader.async_setup(home)
    home.config_entries = ConfigEntries(home, CONFIG)
    await async_load_base_functionality(home)
    home.config.components |= {"http", "file_upload"}  # who needs the frontend
    for name in ("mqtt", *CONFIG):
        assert await async_setup_component(home, name, CONFIG), name
    await home.async_start()
    sys.stdout.write("started\n")
    sys.stdout.flush()
    while (line := await asyncio.to_thread(sys.stdin.readline)) != "stop\n":
        await home.services.async_call(
            "alarm_control_panel", f"alarm_{line.strip()}", {"entity_id": PANEL}
        )
    await home.async_stop()


asyncio.run(main())
