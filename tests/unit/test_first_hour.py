"""What a newcomer copies from the READMEs is right. `.ci/newcomer` runs all of it."""

import re
import shlex
from pathlib import Path

from evidenced.cli.main import COMMANDS
from evidenced.config import load_text

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SERVICE = (ROOT / "systemd" / "README.md").read_text()


def commands(text: str, *lines_of: str) -> set[str]:
    """The words after `evidenced` in lines to be copied."""
    lines = [line for line in text.splitlines() if line.startswith(lines_of)]
    return set(
        re.findall(r"(?:^|[ /`])evidenced ([a-z]+)\b", "\n".join(lines), re.MULTILINE)
    )


def test_the_smallest_configuration_is_right() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    loaded = load_text(text)
    [told] = loaded.warnings  # what everybody has to write instead
    assert told.startswith('recorders.main.nonce: "..." stands for one in examples')
    assert [rule.name for rule in loaded.config.rules] == ["panic-button"]


def test_every_command_that_is_named_exists() -> None:
    named = commands(README, "    ", "| `ev") | commands(SERVICE, "    ")
    assert len(named) > 8
    assert named <= COMMANDS.keys()


def test_files_that_commands_name_are_there() -> None:
    """Those of the repository, in lines to be copied."""
    words = [
        word.strip(",")
        for line in (README + SERVICE).splitlines()
        if line.startswith("    ")
        for word in shlex.split(line.replace("'", ""), comments=True)
        if re.match(r"(systemd|config|\.lock|\.ci|tests)/[\w./-]+$", word)
    ]
    assert len(words) > 4
    assert [word for word in words if not (ROOT / word).exists()] == []
