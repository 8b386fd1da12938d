"""Evidence records in a run: which seeds have them, and what goes wrong with them.

Dice of their own: what a seed did before there were records it does still.
"""

from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

CHANCE = 0.2
_KEY = Ed25519PrivateKey.from_private_bytes(b"simulated key of thirty-two byte")
PUBLIC_KEY = _KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
LostAs = Literal["away", "empty", "other"]
"""What the mount shows while the share is lost: errors, the local folder, or another
share with the same folders, which lacks the marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """`lost` and `hangs` are spans of seconds, as is the one without a `key`.

    At which changes of the share's files, counted over the run, the process is killed
    in the midst (`killed_at`), or the file system refuses (`refused_at`). `is_partly`:
    one destination has records, and another with the same root has none.
    """

    lost_as: LostAs = "away"
    lost: tuple[tuple[float, float], ...] = ()
    hangs: tuple[tuple[float, float], ...] = ()
    keyless: tuple[float, float] = (0.0, 0.0)
    killed_at: frozenset[int] = frozenset()
    refused_at: frozenset[int] = frozenset()
    is_partly: bool = False


def draw_recording(seed: int, active_s: float, *, is_calm: bool) -> RecordPlan | None:
    """What records meet in the run of this seed; None where there are none."""
    random = Random(f"{seed}-record")  # noqa: S311 - repeatable on purpose
    if random.random() >= CHANCE:
        return None
    is_partly = Random(f"{seed}-partly").random() < 0.25  # noqa: S311 - as above
    if is_calm:
        return RecordPlan(is_partly=is_partly)

    def spans(*numbers: int) -> tuple[tuple[float, float], ...]:
        found = []
        for _ in range(random.choice(numbers)):
            start = random.uniform(20.0, active_s)
            lasts = random.choice((1.0, 10.0, 60.0))
            found.append((start, min(start + lasts, active_s)))
        return tuple(found)

    def moments(*numbers: int) -> frozenset[int]:
        many = random.choice(numbers)
        return frozenset(random.randint(1, 120) for _ in range(many))

    return RecordPlan(
        lost_as=random.choice(("away", "empty", "other")),
        lost=spans(0, 1, 2),
        hangs=spans(0, 0, 1),
        keyless=(*spans(0, 0, 1), (0.0, 0.0))[0],
        killed_at=moments(0, 1, 4),
        refused_at=moments(0, 0, 3),
        is_partly=is_partly,
    )


@cache
def private_key() -> str:
    """The key that signs, as its file would hold it."""
    return _KEY.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ).decode()
