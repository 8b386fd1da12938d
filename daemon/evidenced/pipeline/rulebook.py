"""What alarms are read by: the rules of the configuration under which they came.

A message is acknowledged before it is read, so a reload may come in between. It came
under the old rules and is read by them: a rule that the reload took away still gets
what was on its way, and one that it brought takes no alarm from before.

Only in memory: after a stop or a crash what still waits is read by the configuration
on disk, for there is no other any more.
"""

from datetime import datetime

from evidenced.core.site import Site


class Rulebooks:
    """The one in force, and those before it until no message of theirs waits."""

    def __init__(self, current: Site) -> None:
        self.current = current
        self._former: list[tuple[datetime, Site]] = []

    def replace(self, site: Site, now: datetime) -> None:
        """From now on messages come under another one."""
        self._former.append((now, self.current))
        self.current = site

    def of(self, received_at: datetime) -> Site:
        """The one under which a message came that waits in the inbox."""
        return next(
            (site for until, site in self._former if received_at < until), self.current
        )

    def read_up_to(self, oldest: datetime | None) -> None:
        """Nothing waits that is older than this; None: nothing waits at all.

        So that a clock that is set back brings no old rules back.
        """
        self._former = [
            (until, site)
            for until, site in self._former
            if oldest is not None and oldest < until
        ]
