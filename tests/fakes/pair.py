"""Two database servers: a commit on the primary waits for the other one's disk."""

import time

import psycopg

from fakes.postgres import Postgres, find_postgres

IN_STEP = "SELECT sync_state = 'sync' FROM pg_stat_replication"
NAMES = "synchronous_standby_names"
WAIT_S = 30.0
LOOK_S = 0.1


class Pair:
    """`primary` takes writes; `standby` is its copy, if there is one."""

    def __init__(self, primary: Postgres) -> None:
        self.primary = primary
        self.standby: Postgres | None = None
        self._own: list[Postgres] = []
        """Servers of ours, to be removed."""

    def follow(self) -> None:
        """From now on nothing is committed that only the primary has. Blocks.

        Raises:
            TimeoutError: the standby does not come into step.
        """
        programs = find_postgres()
        assert programs is not None
        standby = Postgres(programs)
        self._own.append(standby)
        standby.follow(self.primary)
        standby.start()
        self.standby = standby
        with psycopg.connect(self.primary.url("postgres"), autocommit=True) as boss:
            boss.execute(f"ALTER SYSTEM SET {NAMES} = '*'")  # type: ignore[arg-type, unused-ignore]
            boss.execute("SELECT pg_reload_conf()")
            until = time.monotonic() + WAIT_S
            while boss.execute(IN_STEP).fetchall() != [(True,)]:
                if time.monotonic() > until:
                    raise TimeoutError("the standby does not come into step")
                time.sleep(LOOK_S)

    def fail(self) -> None:
        """The primary crashes, and does not come back. Blocks."""
        self.primary.kill()

    def promote(self) -> None:
        """The standby takes writes, alone until another one follows. Blocks."""
        assert self.standby is not None
        self.standby.promote()
        self.primary, self.standby = self.standby, None

    def remove(self) -> None:
        """All that is ours. Blocks."""
        for server in self._own:
            server.kill()
            server.remove()
