"""The languages that the daemon speaks to people: catalogues, dates and numbers.

A catalogue is a .po file beside this one, read with Babel when the first reader of its
language comes (0.2 s with Babel, 50 ms for the next language). It is not compiled: a
binary would be one more thing that may not be what its source says, and the build one
more step. English needs none, for its sentences are the keys. `python
daemon/catalogues.py` writes into the others what the code says anew.
"""

from functools import cache

from evidenced.core.phrase import ENGLISH, Tongue


@cache
def tongue(code: str) -> Tongue:
    """The language of this code, one of `LANGUAGES`.

    Raises:
        KeyError: there is no catalogue of it.
    """
    if code == ENGLISH.code:
        return ENGLISH
    from evidenced.tongues.catalogue import read_tongue  # noqa: PLC0415 - Babel is slow

    return read_tongue(code)
