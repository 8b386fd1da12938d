"""Where exports go, as the recorder sees it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import (
    duration,
    file,
    flag,
    size,
    text,
)
from evidenced.config.section import (
    ANY_LINE,
    Section,
)
from evidenced.config.special import syntax
from evidenced.core.folders.paths import PathTemplate


class DestinationConfig(Section):
    path: Annotated[
        PathTemplate,
        syntax(
            r"""a path on the recorder such as 'V:\evidence\{rule}-{id}'""",
            parser=PathTemplate.parse,
            most=1024,
        ),
    ] = Field(
        description="A folder for each export, on the recorder. Fields: {id} (needed) "
        "{rule} {key} {recorder} {instance} {opened:FORMAT} {ended:FORMAT} (strftime, "
        "local time) and the rule's captured names and `fields`. Values are made safe.",
        examples=[r"V:\evidence\{opened:%Y}\{opened:%m-%d}\{rule}-{id}"],
    )
    root: Annotated[
        str | None,
        text("the part of the path that all exports share", most=240),
    ] = Field(
        default=None,
        description="No path that leaves this folder is ever requested. Without it: "
        "the part of `path` before its first field.",
        examples=["V:\\evidence"],
    )
    mount: Annotated[
        Path | None, file(what="the absolute path of a folder", such_as="/mnt/evidence")
    ] = Field(
        default=None,
        description="Where this host sees the same share (`root` here): finished "
        "files are then verified.",
        examples=["/mnt/evidence"],
    )
    marker: Annotated[
        str | None,
        text(
            "the name of a file, without a folder",
            pattern=r"(?!\.\.?$)[^\x00-\x1f\x7f/\\]{1,255}",
            most=255,
        ),
    ] = Field(
        default=None,
        description="A file that must be in `mount`; without it the share is not the "
        "right one and is held.",
        examples=[".evidenced-share"],
    )
    record: Annotated[bool, flag()] = Field(
        default=True,
        description="An evidence record is written beside the footage; without `mount` "
        "it says nothing of files and is kept in the store. false wants none, only "
        "looks at the share and never writes. Without `marker` the mount must be a "
        "mount point itself, so that nothing is written to the local disk when the "
        "share is away.",
    )
    keep: Annotated[
        timedelta | None, duration(least="1d", most="36500d", such_as="180d")
    ] = Field(
        default=None,
        description="Footage that ended longer ago is deleted from `mount`, unless "
        "somebody holds its incident: only files that its evidence record lists and "
        "that are what they were. The record stays, says so, and the audit chain has "
        "an entry. Not until the host's clock has run for an hour without being set. "
        "Without it nothing is deleted.",
        examples=["180d"],
    )
    default: Annotated[bool, flag()] = Field(
        default=False,
        description="true: where rules that name no destination, and footage that is "
        "asked for by hand, go. Of several destinations one may be; a single one is "
        "anyway.",
    )
    link: Annotated[
        str | None,
        text(
            r"""what people's own computers call `root` such as '\\nas\evidence'""",
            pattern=ANY_LINE,
            most=240,
        ),
    ] = Field(
        default=None,
        description="How people's own computers reach `root`: what Copy on the page "
        "gives them. Without it they get the recorder's own path.",
        examples=["\\\\nas\\evidence"],
    )
    min_free: Annotated[int, size()] = Field(
        default=0,
        description="With less room than this on `mount` the destination is held, "
        "before the recorder runs into a full disk. 0 leaves that to the recorder.",
        examples=["10 GB"],
    )

    @property
    def fixed_root(self) -> str:
        """The root that holds: as written, else the folder before the first field."""
        if self.root is not None:
            return self.root
        fixed = self.path.text.partition("{")[0]
        cut = max(fixed.rfind("\\"), fixed.rfind("/"))
        return fixed[: cut + 1]
