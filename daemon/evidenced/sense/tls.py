"""TLS to recorders: one context for all of them that trust the same authorities.

Reading the system's takes 20 ms and a megabyte each time: for 500 recorders that was
most of a start, and most of the memory.
"""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final

from evidenced.host.filestamp import FileStamp, file_stamp

MOST_KEPT: Final = 32
"""Sets of authorities; where there are more, recorders have contexts of their own."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts the system's authorities, or only those of `ca_file`, as they are now.

    Raises:
        OSError: the file cannot be read as PEM certificates.
    """
    system = ssl.get_default_verify_paths().cafile
    stamp = file_stamp(ca_file or (Path(system) if system else None))
    return _made(ca_file, stamp)


@lru_cache(MOST_KEPT)
def _made(ca_file: Path | None, _stamp: FileStamp) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
