"""What the heads of config/systems advise: configuration, messages, what these do.

A head ends with sections. Each has a line of text, then, farther in, the lines that an
integrator adds to a configuration that includes the file, then messages: the topic, the
payload and what becomes of it, two blanks or an arrow between them. What begins with
"> " is for the other system.
"""

import re
from dataclasses import dataclass

from evidenced.config import Loaded, load_text
from evidenced.core.alarms.alarm import Outcome
from fakes.shippedsystems import FILES, SITE

MESSAGE = re.compile(r"(\S.*?)  +(.*?) *-> (.+)")
SAID = {
    "goes on": Outcome.EXTENDED,
    "repeat": Outcome.DUPLICATE,
    "no change": Outcome.UNCHANGED,
    "waits": Outcome.WAITING,
    "end": Outcome.CLEARED,
    "end of nothing": Outcome.CLEARED,
    "nothing": Outcome.UNMATCHED,
    "another's": Outcome.UNMATCHED,
}
_YARD = """
[cameras.yard]
server = "1001"
device = "2002"
"""


@dataclass(frozen=True)
class Said:
    """One message of a head, and what the head says becomes of it."""

    topic: str
    payload: str
    said: str

    @property
    def outcome(self) -> Outcome:
        return Outcome.OPENED if self.opens else SAID[self.said]

    @property
    def opens(self) -> set[str]:
        """The cameras of the incident that it opens; empty: it opens none."""
        begin = "alarm of "
        named = self.said.removeprefix(begin) if self.said.startswith(begin) else ""
        return set(named.split(", ")) - {""}


@dataclass(frozen=True)
class Advice:
    """One section of a head."""

    system: str
    title: str
    toml: str
    messages: tuple[Said, ...]

    def loaded(self) -> Loaded:
        """The site of an integrator who does as it says, and nothing else."""
        site = SITE.format(system=self.system)
        if "[groups]" in self.toml:
            start, _, rest = site.partition("[groups]\n")
            site = start + rest.partition("\n")[2]
        include = f'include = ["systems/{self.system}.toml"]\n'
        more = _YARD if '"yard"' in self.toml else ""
        return load_text(f"{include}{site}{more}\n{self.toml}")


def advice_of(system: str) -> list[Advice]:
    """The sections of one file's head, in order."""
    head = FILES[system].read_text().partition("\n\n")[0]
    found: list[Advice] = []
    _, *sections = re.split(r"\n#\n# (?=[^ ].*:\n#\n)", head)
    for section in sections:
        title, _, body = section.partition(":\n")
        lines = [
            line.removeprefix("#").removeprefix("     ") for line in body.split("\n")
        ]
        lines = [line for line in lines if not line.startswith("> ")]
        said = [MESSAGE.fullmatch(line) for line in lines]
        toml = [line for line, match in zip(lines, said, strict=True) if not match]
        messages = tuple(Said(*match.groups()) for match in said if match)
        found.append(Advice(system, title, "\n".join(toml), messages))
    return found
