"""Windows paths taken apart, without a Windows to ask."""

import re
from pathlib import PureWindowsPath

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_DRIVE = re.compile(r"[A-Za-z]:")
_UNC = re.compile(r"\\\\[\w$-][\w.$-]*\\[\w$-][\w.$-]*")
NAME_LIMIT = 255
PATH_LIMIT = 2_000


def split(path: str) -> tuple[str, ...]:
    """Drive or share, then the names of the folders.

    Raises:
        ValueError: relative, without drive or share, with dots or forbidden signs.
    """
    windows = PureWindowsPath(path)
    drive, names = windows.drive, windows.parts[1:]
    is_place = _DRIVE.fullmatch(drive) or _UNC.fullmatch(drive)
    if len(path) > PATH_LIMIT or not windows.is_absolute() or not is_place:
        raise ValueError(rf"not a path like V:\folder or \\host\share\folder: {path!r}")
    if ".." in drive or not all(map(_is_name, names)):
        raise ValueError(f"a folder name that Windows does not take: {path!r}")
    return (drive, *names)


def _is_name(name: str) -> bool:
    """Windows takes no folder that ends in a dot or a blank, so `..` is none either."""
    return (
        not _FORBIDDEN.search(name)
        and not name.endswith((".", " "))
        and len(name.encode("utf-8", "replace")) <= NAME_LIMIT
    )
