"""Folder names that any program on Windows takes for exactly one folder.

The recorder runs on Windows, whatever we run on. Source: Microsoft Learn, "Naming
Files, Paths, and Namespaces" (characters, device names, trailing dots and spaces);
sense-api.md part A for & < >. That a character which only looks like a separator may
become one ("best fit" in WideCharToMultiByte) is assumed of the recorder.
"""

import re
from functools import lru_cache
from hashlib import sha256
from unicodedata import category, normalize

from evidenced.core.ids import FieldValue

MAX_NAME = 120
MAX_READ = 1000
"""Characters looked at of one value: normalising is quadratic on hostile text."""

_ILLEGAL = frozenset('<>:"|?*&/\\')
_DASHED = frozenset("/\\:|~")  # "~" too: EVIDEN~1 is another folder's short name
_UNDERSCORED = frozenset('<>"?*&;')
_LOOKALIKES = frozenset("\u00a5\u20a9\u2044\u2215\u2216\u2236\u2223\u2217\u0589")
_RISKY_ONCE_FOLDED = _DASHED | _UNDERSCORED | {"."}
_PLAIN = re.compile(r"[A-Za-z0-9_. ()-]*")
"""What nearly every name is made of, and nothing below changes: seen at a glance."""
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_(-](?:[A-Za-z0-9_. ()-]*[A-Za-z0-9_()-])?")
"""The same without what Windows strips off either end."""
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9]|CONIN\$|CONOUT\$) *")
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "COM", "LPT"})
"""What the name of each of these begins with."""


def safe_name(text: str) -> str:
    """One folder name: no device, nothing that Windows would strip off its end."""
    if is_plain(text, MAX_NAME):
        return text
    text = normalize("NFC", text).strip(" ").rstrip(" .") or "_"
    if _is_reserved(text):
        text = f"_{text}"
    return _shorten(text, MAX_NAME, text)


def clean(value: FieldValue, limit: int) -> str:
    """The value as part of a folder name: at most `limit` long, never empty."""
    whole = value if isinstance(value, str) else "-".join(value)
    if is_plain(whole, limit):
        return whole
    text = whole[:MAX_READ]
    if _PLAIN.fullmatch(text) is None:
        text = "".join(_clean_character(c) for c in normalize("NFC", text))
    text = text.strip(" ") or "_"
    return _shorten(text, limit, whole)


def _clean_character(c: str) -> str:
    if c in _DASHED:
        return "-"
    if c in _UNDERSCORED or _is_invisible(c):
        return "_"
    if c.isascii():
        return c
    if category(c) == "Zs":
        return " "
    if c in _LOOKALIKES or not _RISKY_ONCE_FOLDED.isdisjoint(normalize("NFKC", c)):
        return "_"
    return c


def _is_invisible(c: str) -> bool:
    """Controls, bidi and other format characters, surrogates, private, unassigned."""
    kind = category(c)
    return kind.startswith("C") or kind in {"Zl", "Zp"}


def is_plain(name: str, longest: int = MAX_NAME) -> bool:
    """Whether it surely may stay as it is; most do, and a storm asks for thousands."""
    return (
        len(name) <= longest
        and _PLAIN_NAME.fullmatch(name) is not None
        and name[:3].upper() not in _DEVICES
    )


def _is_reserved(name: str) -> bool:
    """Whether Windows takes it for a device, with or without an extension.

    NFKC turns COM's superscript digits, which count too, into plain ones.
    """
    if not name.isascii():
        name = normalize("NFKC", name)
    if name[:3].upper() not in _DEVICES:
        return False
    return _RESERVED.fullmatch(name.partition(".")[0].upper()) is not None


def illegal_character(name: str) -> str | None:
    if _PLAIN.fullmatch(name):
        return None
    found = next((c for c in name if c in _ILLEGAL or _is_invisible(c)), None)
    return None if found is None else f"may not contain {found!r}"


@lru_cache(maxsize=1024)
def name_fault(name: str, longest: int = MAX_NAME) -> str | None:
    """Why Windows or the recorder would not take this as one folder's name.

    Remembered: of one path only the last name is seldom met again.
    """
    if is_plain(name, longest):
        return None
    if name.endswith((" ", ".")):
        return "may not end in a dot or a space, Windows drops them"
    if _is_reserved(name):
        return "is a device on Windows"
    if _size(name) > longest:
        return f"is longer than {longest} characters"
    return illegal_character(name)


def _shorten(text: str, limit: int, whole: str) -> str:
    """At most `limit` long; what was cut off leaves a hash of the whole value."""
    if _size(text) <= limit and len(whole) <= MAX_READ:
        return text
    mark = "-" + sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    text = text[: limit - len(mark)]
    while _size(text) > limit - len(mark):
        text = text[:-1]
    return text.rstrip(" .") + mark


def _size(text: str) -> int:
    """UTF-16 units, or half the UTF-8 bytes if that is more.

    Behind a mapped drive may be a NAS whose file system stops at 255 bytes a name.
    """
    if text.isascii():
        return len(text)
    return max(utf16_units(text), -(-len(text.encode("utf-8", "surrogatepass")) // 2))


def is_long(name: str) -> bool:
    """Whether `safe_name` would have to cut it."""
    return _size(name) > MAX_NAME


def utf16_units(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
