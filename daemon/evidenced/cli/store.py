"""`evidenced store`: taking the store from one database into another."""

import re
from pathlib import Path
from socket import gethostname
from typing import Annotated

import typer

from evidenced.cli.backup import prove_copy
from evidenced.cli.family import new_family
from evidenced.cli.progress import ProgressLine
from evidenced.cli.terminal import AsJson
from evidenced.host.clock import SystemClock
from evidenced.store import ServerSettings, StoreSettings, database_of
from evidenced.store.copying import copy_store

family = new_family()

Source = Annotated[
    str,
    typer.Argument(
        metavar="FROM",
        help="The store as it is: a state folder, or the address of a PostgreSQL "
        "database, postgresql://...",
    ),
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="TO", help="Where it is wanted: likewise, with no store in it yet."
    ),
]


@family.callback()
def store() -> None:
    """Take the store from one database into another.

    Example: `evidenced store copy /var/lib/evidenced postgresql://db.example/evidenced`
    """


@family.command()
def copy(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Copy the store into a folder or a database that has none; no daemon may run.

    From one host to two and back: everything is copied, and the copy is kept only if
    its audit chain and every row are intact. The store that is copied stays as it is;
    change `daemon.store` then, and start the daemon. A password for a database is taken
    from $PGPASSWORD or ~/.pgpass.

    Exit 0: copied. 1: nothing was, and why.

    Example: `evidenced store copy /var/lib/evidenced postgresql://db.example/evidenced`
    """
    old, new = _place(source), _place(target)
    with ProgressLine(SystemClock().monotonic) as line:
        found = copy_store(
            old, new, lambda table, n: line.show(lambda: f"{table}: {n} rows")
        )
    where = database_of(new).name
    prove_copy(found, f"{where}: copied", {"store": where}, as_json=as_json)


def _place(text: str) -> StoreSettings:
    if not re.match(r"postgres(ql)?://", text):
        return StoreSettings(directory=Path(text))
    clock = SystemClock()
    server = ServerSettings(
        url=text,
        node=f"copy on {gethostname()}",
        monotonic=clock.monotonic,
        now=clock.now,
    )
    return StoreSettings(directory=Path(), server=server)
