"""Messages that opened nothing are kept, bounded, in the order they came."""

from sqlalchemy import select

from evidenced.core.alarms.alarm import Alarm, NotTaken, Outcome
from evidenced.core.keeping.kept import (
    REFUSED_ALARMS,
    UNREAD_WHOLE,
    RefusedAlarm,
    refused_alarm,
)
from evidenced.store import StoreSettings, open_store
from evidenced.store.recorded import Recordings
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


def unread(payload: bytes) -> RefusedAlarm:
    alarm = Alarm(topic="t", payload=payload, received_at=START)
    why = NotTaken(rule=None, outcome=Outcome.INVALID, detail="payload is not JSON")
    return refused_alarm(alarm, why)


async def test_what_cannot_be_read_is_kept_as_it_came(settings: StoreSettings) -> None:
    odd, long = b"\x00\xff\xfe{", b"{" + b"x" * 50_000
    store = open_store(settings)
    await store.write(lambda tx: tx.refused.save([unread(odd), unread(long)]))
    listed = await store.read(lambda view: Recordings(view._db).refused(9))
    found = [each.alarm for each in listed]
    store.close()
    assert [(each.payload, each.whole) for each in found] == [(long, None), (odd, None)]


async def test_of_those_that_cannot_be_read_the_last_are_whole(
    settings: StoreSettings,
) -> None:
    many = [unread(b"{" + b"x" * 9000) for _ in range(UNREAD_WHOLE + 5)]
    store = open_store(settings)
    await store.write(lambda tx: tx.refused.save(many))
    listed = await store.read(lambda view: Recordings(view._db).refused(999))
    found = [each.alarm for each in listed]
    store.close()
    whole = [each for each in found if each.whole is None]
    cut = [each.whole.size for each in found if each.whole is not None]
    assert whole == found[:UNREAD_WHOLE]
    assert cut == [9001] * 5
