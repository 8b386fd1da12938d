"""What a program publishes at a real broker, and what shipped rules make of it."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty
from typing import Self

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.incidents.incident import Incident
from fakes.mosquitto import Peer
from fakes.playedrules import Heard, Message, Play

CAPTURED = Path(__file__).parents[1] / "unit" / "captured"
WAIT_S = 60.0


@dataclass
class Said:
    topic: str
    payload: str
    retained: bool
    qos: int
    heard: Heard

    @property
    def outcome(self) -> Outcome:
        return self.heard.outcome


@dataclass
class Followed:
    """Each message is read by the rules when it comes, as the daemon does."""

    port: int
    play: Play
    filters: tuple[str, ...]
    said: list[Said] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._peer = Peer(self.port).__enter__()
        self._peer.subscribe(*self.filters)
        return self

    def __exit__(self, *_: object) -> None:
        self._peer.__exit__()

    def until(self, condition: Callable[[Said], bool], wait_s: float = WAIT_S) -> Said:
        """Read on until one is so, which is returned."""
        deadline = time.monotonic() + wait_s
        while True:
            left = deadline - time.monotonic()
            try:
                message = self._peer.next(timeout=max(left, 0.01))
            except Empty:
                told = "\n".join(
                    f"{s.topic} {s.payload[:200]}" for s in self.said[-30:]
                )
                raise AssertionError(f"it never came; heard:\n{told}") from None
            payload = message.payload.decode()
            heard = self.play.hear(
                Message(
                    message.topic, payload, Outcome.UNMATCHED, retained=message.retain
                ),
                datetime.now(UTC),
            )
            self.said.append(
                Said(message.topic, payload, message.retain, message.qos, heard)
            )
            if condition(self.said[-1]):
                return self.said[-1]

    def until_topic(self, topic: str, text: str = "") -> Said:
        return self.until(lambda s: s.topic == topic and text in s.payload)

    @property
    def outcomes(self) -> list[Outcome]:
        return [each.outcome for each in self.said]

    @property
    def incidents(self) -> list[Incident]:
        return list(self.play.incidents.values())

    def invalid(self) -> list[Said]:
        return [each for each in self.said if each.outcome is Outcome.INVALID]

    def capture(self, name: str, *, skip: str = "/bridge/") -> None:
        """Kept for the short runs, where `EVIDENCED_CAPTURE` is set."""
        if not os.environ.get("EVIDENCED_CAPTURE"):
            return
        lines = [
            json.dumps(
                {"topic": s.topic, "payload": s.payload}
                | ({"retained": True} if s.retained else {})
            )
            for s in self.said
            if skip not in s.topic
        ]
        (CAPTURED / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
