"""A copy of the store while the daemon runs, and putting one back while it does not.

A backup is one file without a journal beside it. It is under its name only once it has
been read back: every page, and the audit chain from its first row.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import StoreError
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.keeping.kept import AuditHead
from evidenced.store import dialect, sqlite
from evidenced.store.audit import Audit, verify_store
from evidenced.store.database import LOCK, store_file, take_lock
from evidenced.store.snapshot import looking_at
from evidenced.store.sqlite import SqliteFile
from evidenced.store.tx import Tx, View


def back_up(directory: Path, target: Path) -> Audit:
    """Copy the store in this folder to a file; what the copy's audit chain is.

    The copy is one consistent moment. Blocks; the daemon goes on writing meanwhile.

    Raises:
        StoreError: there is no store, the target exists or cannot be written, or what
            was copied is damaged; then no file is left under that name.
    """
    source = store_file(directory)
    if not source.is_file():
        raise sqlite.no_store(source)
    if target.exists():
        raise StoreError(f"{target} exists; name a file that does not")
    return _placed(target, lambda part: _copy(source, part))


def restore(directory: Path, backup: Path, now: datetime) -> Audit:
    """Put a backup in the place of the store; what its audit chain is.

    Its last entry says so. Marks of deliveries from before are taken out of it: they
    are of a session at the broker that went on meanwhile.

    What was there is kept beside it, under a name that ends in `.before-restore`, or
    `.before-restore-2` and so on: nothing that was set aside earlier is overwritten.

    Raises:
        StoreError: the daemon runs, the backup is damaged, or a file cannot be written;
            then the store is as it was.
    """
    if not os.path.isfile(backup):  # noqa: PTH113 - a name may be longer than any
        raise StoreError(f"{backup} is not there; name a file of `evidenced backup`")
    _check_kind(backup)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(directory / LOCK)
    except OSError as error:
        raise StoreError(f"{directory}: {error.strerror}") from error
    store = store_file(directory)
    try:
        owner = directory.stat()  # the service's own user, not root
        os.fchown(lock, owner.st_uid, owner.st_gid)
        return _placed(store, lambda part: _bring(backup, part, owner, store, now))
    finally:
        os.close(lock)


def _check_kind(backup: Path) -> None:
    try:
        is_store = sqlite.is_database(backup)
    except OSError as error:
        raise StoreError(f"{backup} cannot be read: {error.strerror}") from error
    if not is_store:
        raise StoreError(
            f"{backup} is no backup of a store; name a file of `evidenced backup`"
        )


def _placed(target: Path, make: Callable[[Path], None]) -> Audit:
    """Make a file beside its place, prove it, and only then give it its name.

    Whoever may write the folder may have put a link where it is made, or a file that
    they read: it is always a new one.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        _clear(part)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        make(part)
        found = _proved(part)
        _set_aside(target)
        part.replace(target)
        _sync(target.parent)
    except (OSError, *dialect.ERRORS) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreError(f"{target} cannot be written: {why}") from error
    finally:
        with suppress(OSError):
            _clear(part)
    return found


def _clear(part: Path) -> None:
    for name in ("", "-journal", *sqlite.BESIDE):
        part.with_name(part.name + name).unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    sqlite.copy(source, part)
    _sync(part)


def _bring(
    backup: Path, part: Path, owner: os.stat_result, store: Path, now: datetime
) -> None:
    shutil.copyfile(backup, part)
    os.chown(part, owner.st_uid, owner.st_gid, follow_symlinks=False)
    _proved(part)
    with looking_at(SqliteFile(part)) as connection:
        strange = one_line(", ".join(sqlite.foreign(connection)), 200)
    if strange:
        raise StoreError(
            f"{backup} holds what evidenced never made and may change rows: {strange}"
        )
    there = _head_of(store)
    engine = sqlite.writing(part)
    with engine.connect() as connection, connection.begin():
        tx = Tx(connection)
        detail = {
            "copied": tx.history.head().seq,
            "replaced": there and {"seq": there.seq, "hash": there.hash},
        }
        entry = Entry(incident=None, at=now, event=Event.RESTORED, detail=detail)
        tx.history.write(entry)
        tx.deliveries.clear()
    engine.dispose()  # which carries its journal into the file
    _sync(part)


def _head_of(store: Path) -> AuditHead | None:
    """The last row of the store that is replaced; None where there is none to read."""
    try:
        with looking_at(SqliteFile(store)) as connection:
            return View(connection).history.head()
    except StoreError:
        return None


def _proved(part: Path) -> Audit:
    if damage := sqlite.damage(part):
        raise StoreError(f"the copy is damaged: {damage}; the store itself may be")
    found = verify_store(SqliteFile(part))
    if found.fault is not None:
        raise StoreError(f"the copy's audit chain is broken: {found.fault}")
    return found


def _set_aside(store: Path) -> None:
    """What a restore replaces, under a name that is free; a backup replaces nothing."""
    beside = ("", *sqlite.BESIDE)
    free, numbers = f"{store.name}.before-restore", count(2)
    while any(store.with_name(free + name).exists() for name in beside):
        free = f"{store.name}.before-restore-{next(numbers)}"
    for name in beside:
        with suppress(FileNotFoundError):
            store.with_name(store.name + name).replace(store.with_name(free + name))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
