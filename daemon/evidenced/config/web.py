"""The operators' page, its API, health and metrics."""

from typing import Annotated

from pydantic import Field

from evidenced.config.forms import choice
from evidenced.config.secret import Secret
from evidenced.config.section import (
    FilePath,
    Name,
    SecretValue,
    Section,
)
from evidenced.config.special import (
    account,
    address,
    listen_at,
    proxy,
    secret,
)
from evidenced.core.account import Account
from evidenced.core.phrase import LANGUAGES


class TlsConfig(Section):
    certificate: FilePath = Field(
        default=None,
        description="The page's certificate in PEM, and those of its chain behind it.",
        examples=["/etc/evidenced/page.pem"],
    )
    key: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="Its private key in PEM, without a password.",
        examples=[{"credential": "page-key"}],
    )


class WebConfig(Section):
    listen: Annotated[str, listen_at()] = Field(
        default="127.0.0.1:8470",
        description="Address of the page, the API and the metrics; "
        '"unix:/run/evidenced/control.sock" works too, "" turns all of it off.',
    )
    public_url: Annotated[
        str | None,
        address(
            "https",
            "http",
            such_as="https://evidence.example",
            with_path={"http", "https"},
        ),
    ] = Field(
        default=None,
        description="The page as people reach it: messages link there.",
        examples=["https://evidence.example"],
    )
    language: Annotated[str, choice("", *LANGUAGES)] = Field(
        default="",
        description='Of the page: "en", "nl" or "de"; "" is the one that each browser '
        "asks for, English where there is none of its own.",
        examples=["nl"],
    )
    users: dict[Name, Annotated[Account, account()]] = Field(
        default={},
        repr=False,
        description="Users and the hashes of their passwords, as `evidenced passwd` "
        "makes them; a hash alone is an operator's, a `viewer` changes nothing. "
        "Needed as soon as the page listens beyond loopback. A hash may be a secret: "
        "then it stands in no file that others read.",
        examples=[{"anna": {"credential": "anna-hash"}}],
    )
    displays: dict[Name, SecretValue] = Field(
        default={},
        description="Screens on a wall, each by its token: it opens /wall?token=... "
        "once, stays logged in over restarts, and sees that page and nothing else. A "
        "token has at least 20 characters, such as `openssl rand -hex 16` makes.",
        examples=[{"wall": {"credential": "wall-token"}}],
    )
    tls: TlsConfig = Field(
        default=TlsConfig(),
        description="With both keys the page speaks TLS and nothing else, so that no "
        "proxy is needed. Files that are replaced count within half a minute.",
    )
    proxies: tuple[Annotated[str, proxy()], ...] = Field(
        default=(),
        description="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are "
        'believed: addresses, networks, "unix" for who may open the socket file.',
        examples=[["127.0.0.1"]],
    )
