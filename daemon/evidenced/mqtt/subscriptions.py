"""Which filters are wanted, which are granted, and which the session still has."""

import asyncio
from collections.abc import Iterable

from evidenced.core.phrase import phrase
from evidenced.mqtt.connection import Connection

MAX_FILTER_BYTES = 0xFFFF


class Subscriptions:
    """Brings the broker's session to what is wanted; remembers what it refused."""

    def __init__(self, wanted: Iterable[str], in_session: Iterable[str]) -> None:
        self._wanted = dict.fromkeys(wanted)
        self._in_session = set(in_session)
        self._granted: set[str] = set()
        self._refused: dict[str, str] = {}
        self._barred: dict[str, str] = {}
        self.is_weak = False
        """Whether something was granted at less than the QoS that was asked for."""
        self.changed = asyncio.Event()

    @property
    def in_session(self) -> frozenset[str]:
        return frozenset(self._in_session)

    @property
    def is_complete(self) -> bool:
        return self._wanted.keys() <= self._granted

    @property
    def has_refused(self) -> bool:
        return bool(self._refused)

    @property
    def problem(self) -> str | None:
        if self.is_complete:
            return None
        if not self._refused:
            return "the broker has not granted the subscriptions yet"
        name, why = next(iter(self._refused.items()))
        others = len(self._refused) - 1
        more = phrase("; {others} more likewise", others=others) if others else ""
        return phrase(
            "the subscription to {name} is refused: {why}{more}",
            name=repr(name),
            why=why,
            more=more,
        )

    def want(self, filters: Iterable[str]) -> None:
        self._wanted = dict.fromkeys(filters)
        self.changed.set()

    def begin(self, *, session_present: bool) -> None:
        """A connection was accepted: nothing is granted on it yet."""
        self._granted.clear()
        self._refused.clear()
        self.is_weak = False
        if not session_present:
            self._in_session.clear()

    def hung_up(self) -> None:
        """The broker did so where it refused: ask for the others first, next time.

        Else those that it allows would never be subscribed. RabbitMQ does that.
        """
        self._barred = dict(self._refused)

    async def settle(self, connection: Connection, qos: int) -> None:
        """Unsubscribe what is gone, subscribe what is not granted.

        Raises:
            BrokerError: the connection ended first, or no answer came.
        """
        wanted = list(self._wanted)
        self._refused = {
            name: "it is no valid topic filter"
            for name in wanted
            if not _is_valid(name)
        }
        barred, self._barred = self._barred, {}
        self._refused |= {n: why for n, why in barred.items() if n in wanted}
        gone = sorted(self._in_session - set(wanted))
        if gone:
            await connection.unsubscribe(gone)
            self._in_session.difference_update(gone)
            self._granted.difference_update(gone)
        new = [n for n in wanted if n not in self._granted and n not in self._refused]
        if not new:
            return
        # Remembered first: a SUBACK that is lost may stand for a subscription.
        self._in_session.update(new)
        for name, code in zip(new, await connection.subscribe(new), strict=False):
            if code.is_failure:
                self._refused[name] = phrase(
                    "{code}; allow it in the broker's access rules", code=code
                )
            else:
                self._granted.add(name)
                self.is_weak |= code.value < qos


def _is_valid(name: str) -> bool:
    """Source: MQTT 5.0, 4.7.1 and 4.7.3."""
    levels = name.split("/")
    return (
        0 < len(name.encode()) <= MAX_FILTER_BYTES
        and "\0" not in name
        and "#" not in "".join(levels[:-1])
        and all(level in {"+", "#"} or not {"+", "#"} & set(level) for level in levels)
    )
