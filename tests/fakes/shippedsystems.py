"""The files of config/systems, each in a minimal site that includes it."""

import tomllib
from pathlib import Path

from evidenced.config import Loaded, load_text
from evidenced.config.compile import build_site
from evidenced.core.site import Site
from fakes.playedrules import Play

ROOT = Path(__file__).parents[2]
FILES = {file.stem: file for file in (ROOT / "config" / "systems").glob("*.toml")}
SITE = r"""
[daemon]
timezone = "Europe/Amsterdam"
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://sense.example"
username = "export"
password = {{ env = "SENSE_PASSWORD" }}
nonce = "n"
[cameras.lobby]
server = "1001"
device = "2001"
[groups]
{system} = ["lobby"]
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
"""


def loaded(system: str, only: str = "", more: str = "") -> Loaded:
    """A minimal site that includes one file; `only` is the one rule that is on.

    `more` is what the integrator adds.
    """
    text = f'include = ["systems/{system}.toml"]\n{SITE.format(system=system)}'
    if only:
        for rule in tomllib.loads(FILES[system].read_text())["rules"]:
            is_on = str(rule["name"] == only).lower()
            text += f'[[rules]]\nname = "{rule["name"]}"\nenabled = {is_on}\n'
    return load_text(text + more)


def make_site(name: str, more: str = "") -> Site:
    system, _, only = name.partition(":")
    return build_site(loaded(system, only, more).config)


def make_play(name: str, more: str = "") -> Play:
    site = make_site(name, more)
    return Play(site=site, rules=site.rules)
