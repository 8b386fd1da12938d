"""The stand-alone simulator, and the example in its manual."""

import re
import ssl
from pathlib import Path

import aiohttp
import trustme

import evidenced.simulator
from evidenced.simulator import (
    Action,
    Scenario,
    Simulator,
    SimulatorServer,
    load_scenario,
)
from fakes.clock import FakeClock

MANUAL = Path(evidenced.simulator.__file__).with_name("README.md")


def test_the_manuals_example_is_a_scenario(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    file = tmp_path / "scenario.toml"
    file.write_text(example)
    actions = [fault.action for fault in load_scenario(file).faults]
    assert actions == [Action.CUT, Action.RESTART, Action.STATUS]


def test_the_manual_names_every_key_and_action() -> None:
    text = MANUAL.read_text()
    keys = set(re.findall(r"`(\w+)`", text))
    parts = [
        field.default
        for field in Scenario.model_fields.values()
        if hasattr(field.default, "model_fields_set")
    ]
    for part in (Scenario(), *parts, Scenario().devices[0]):
        missing = set(type(part).model_fields) - keys - {"devices", "faults"}
        assert not missing - set(re.findall(r"`\[+(\w+)\]+`", text))
    assert not {action.value for action in Action} - set(
        re.findall(r"[\w-]+", text.partition("| action |")[2])
    )


async def test_it_speaks_https() -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)
    simulator = Simulator(Scenario(), FakeClock())
    async with (
        SimulatorServer(simulator, "127.0.0.1", 0, tls=server_side) as server,
        aiohttp.ClientSession() as http,
        http.get(f"{server.url}/info", ssl=client_side) as answer,
    ):
        assert server.url.startswith("https://127.0.0.1:")
        assert answer.status == 200
