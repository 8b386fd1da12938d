"""Evidence records: what signs them, who vouches for their time, who looks again."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import duration
from evidenced.config.secret import Secret
from evidenced.config.section import (
    FilePath,
    RateValue,
    Section,
)
from evidenced.config.special import (
    address,
    secret,
)
from evidenced.core.instants import MINUTE, SECOND


class EvidenceConfig(Section):
    recheck: Annotated[timedelta, duration(most="3650d", such_as="30d")] = Field(
        default=timedelta(0),
        description="Recorded footage on a mounted share is read and hashed again this "
        "often, in the background and no faster than `hash_rate`. What was altered, or "
        "is gone though nobody said so, is a loss until somebody acknowledges it, and "
        'told as `altered`. "0s" is never.',
        examples=["30d"],
    )
    key: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="The private key that signs evidence records, made by `evidenced "
        "keygen`. Without it they are written unsigned, and say so.",
        examples=[{"credential": "evidence-key"}],
    )
    timestamp: Annotated[
        str | None,
        address(
            "https",
            "http",
            such_as="https://tsa.example",
            with_path={"https", "http"},
        ),
    ] = Field(
        default=None,
        description="An authority that is asked once a day, by RFC 3161, to sign that "
        "the audit chain's head was there by then. It gets a hash, and nothing else.",
        examples=["https://tsa.example"],
    )
    timestamp_ca_file: FilePath = Field(
        default=None,
        description="Certificates that sign the authority's; without it the system's. "
        "Leave those of an earlier authority in it: its stamps are verified by them.",
        examples=["/etc/evidenced/tsa.pem"],
    )
    hash_rate: RateValue = Field(
        default=50_000_000,
        description="How fast footage on the share is read to hash it, so that neither "
        "share nor host suffer; 0 is as fast as it goes.",
    )
    stable: Annotated[timedelta, duration(least="1s", most="1h", such_as="10s")] = (
        Field(
            default=10 * SECOND,
            description="Footage is complete once the recorder says so and no file "
            "has changed for so long.",
        )
    )
    patience: Annotated[timedelta, duration(least="1m", most="7d", such_as="1h")] = (
        Field(
            default=60 * MINUTE,
            description="Footage that is not to be seen on the share, or goes on "
            "changing, this long after the recorder said that it is done: no record, "
            "and that is told.",
        )
    )
