"""How much waits in the inbox is known without looking at what lies between."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from evidenced.core.alarms.alarm import Alarm
from evidenced.store.migrate import migrate
from evidenced.store.sqlite import FILE, writing
from evidenced.store.tx import Tx
from fakes.clock import START

ADDED = st.lists(st.integers(0, 3000), max_size=6)
STEPS = st.lists(st.one_of(ADDED, st.integers(0, 8)), max_size=12)
TOPIC = "zone/ü"
TOPIC_BYTES = len(TOPIC.encode())


@settings(max_examples=25)
@given(STEPS)
def test_the_running_total_is_the_sum(steps: list[list[int] | int]) -> None:
    """A list is a batch that comes in, a number so many that are taken out."""
    with tempfile.TemporaryDirectory() as folder:
        engine = writing(Path(folder) / FILE)
        migrate(engine, Path(folder) / FILE)
        waiting: list[int] = []
        with engine.connect() as connection:
            tx = Tx(connection)
            for n, step in enumerate(steps):
                if isinstance(step, int):
                    tx.inbox.drop(
                        [number for number, _ in tx.inbox.oldest(step)][:step]
                    )
                    waiting = waiting[step:]
                else:
                    at = START + timedelta(seconds=n)
                    tx.inbox.save(
                        [
                            Alarm(topic=TOPIC, payload=bytes(size), received_at=at)
                            for size in step
                        ]
                    )
                    waiting += step
                size = sum(waiting) + TOPIC_BYTES * len(waiting)
                assert tx.inbox.waiting() == (len(waiting), size)
        engine.dispose()
