"""The store's recordings, as the commands that look back use them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from evidenced.cli.terminal import Failed
from evidenced.config import Config
from evidenced.config.compile import state_dir
from evidenced.core.errors import StoreError
from evidenced.store.recorded import Recorded, Recordings, open_recordings

NOT_THERE = 2


@contextmanager
def recordings(config: Config) -> Iterator[Recordings]:
    """What this configuration's store keeps.

    Raises:
        Failed: exit 2, there is no store, or it cannot be read.
    """
    try:
        with open_recordings(state_dir(config, os.environ)) as found:
            yield found
    except StoreError as error:
        raise Failed(str(error), code=NOT_THERE) from None


def read_record(config: Config, name: str) -> Recorded:
    """The message that is kept under this name.

    Raises:
        NotFound: there is none.
    """
    with recordings(config) as found:
        return found.find(name)
