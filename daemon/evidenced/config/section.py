"""What the models share: how strict they are, and the forms used in several of them."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from evidenced.config.forms import file, rate, text
from evidenced.config.secret import Secret
from evidenced.config.special import secret


class Section(BaseModel):
    """One table: nothing unknown, nothing changed afterwards, no value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Name = Annotated[
    str,
    text(
        'a name of at most 64 letters, digits, ".", "_" and "-"',
        pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        most=64,
    ),
]
"""Stands in MQTT topics, folders and metrics, so nothing that any of them minds."""

SiteName = Annotated[
    str,
    text(
        'a name of at most 64 printable characters without "/", "{" and "}" that '
        'does not begin with "@"',
        pattern=r"(?!@)[^\x00-\x20\x7f-\xa0/{}]([^\x00-\x1f\x7f-\x9f/{}]{0,62}"
        r"[^\x00-\x20\x7f-\xa0/{}])?",
        most=64,
    ),
]
"""Of cameras and groups: has to equal what panels call their zones ("Front Door")."""

FieldName = Annotated[
    str,
    text(
        'a name of letters, digits and "_" that does not begin with a digit',
        pattern=r"[A-Za-z_][A-Za-z0-9_]{0,63}",
        most=64,
    ),
]
Words = Annotated[str, text("text on one line, at most 512 characters")]
Uid = Annotated[
    str,
    text(
        'the recorder\'s UID as text such as "1001"',
        pattern=r"[!-;=?-~]{1,64}",
        most=64,
    ),
]
FilePath = Annotated[Path | None, file()]
SecretValue = Annotated[Secret, secret()]
RateValue = Annotated[int, rate()]

ANY_LINE = r"[^\x00-\x1f\x7f]*"
