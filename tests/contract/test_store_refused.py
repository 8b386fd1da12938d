"""Messages that opened nothing are kept, bounded, in the order they came."""

from sqlalchemy import select

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.keeping.kept import REFUSED_ALARMS, RefusedAlarm
from evidenced.store import StoreSettings, open_store
from evidenced.store.schema import refused_alarms
from fakes.clock import START


def refused(n: int) -> RefusedAlarm:
    return RefusedAlarm(
        received_at=START,
        outcome=Outcome.INVALID,
        rule=None,
        detail="not JSON",
        topic="access/hq/door/forced",
        payload=str(n),
    )


async def test_refused_alarms_are_kept_and_the_oldest_go_first(
    settings: StoreSettings,
) -> None:
    store = open_store(settings)
    try:
        many = REFUSED_ALARMS + 7
        await store.write(lambda tx: tx.refused.save([refused(0)]))
        await store.write(
            lambda tx: tx.refused.save([refused(n) for n in range(1, many)])
        )
        kept = await store.read(
            lambda view: view._db.scalars(
                select(refused_alarms.c.payload).order_by(refused_alarms.c.seq)
            ).all()
        )
    finally:
        store.close()
    assert list(kept) == [str(n) for n in range(7, many)]
