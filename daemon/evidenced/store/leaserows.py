"""What is asked of PostgreSQL about rows of `leases`; see `lease`.

Rows are locked in the order of their names, so that nobody waits in a circle.
"""

from evidenced.store.judging import WARY

MAKE = """
CREATE TABLE IF NOT EXISTS leases (
    name text PRIMARY KEY, node text NOT NULL, epoch bigint NOT NULL,
    since timestamptz NOT NULL, until timestamptz NOT NULL,
    session text NOT NULL DEFAULT '')
"""
WIDEN = """
ALTER TABLE leases ADD COLUMN IF NOT EXISTS session text NOT NULL DEFAULT ''
"""
"""For a table of before; daemons of before write it on."""
TAKE = """
INSERT INTO leases AS held (name, node, epoch, since, until, session)
SELECT name, %(node)s, 1, clock_timestamp(), clock_timestamp() + %(life)s, %(session)s
FROM unnest(%(names)s::text[]) AS wanted (name) ORDER BY name
ON CONFLICT (name) DO UPDATE SET
    node = excluded.node, epoch = held.epoch + 1, session = excluded.session,
    since = excluded.since, until = excluded.until
WHERE held.until < clock_timestamp() RETURNING name, epoch
"""
RENEW = """
UPDATE leases SET until = clock_timestamp() + %(life)s
FROM (SELECT name FROM leases JOIN unnest(%(names)s::text[], %(epochs)s::bigint[])
    AS mine (name, epoch) USING (name, epoch) WHERE node <> ''
    ORDER BY name FOR NO KEY UPDATE OF leases) AS found
WHERE leases.name = found.name RETURNING leases.name
"""
RELEASE = """
UPDATE leases SET until = clock_timestamp(), node = ''
FROM (SELECT name FROM leases JOIN unnest(%(names)s::text[], %(epochs)s::bigint[])
    AS mine (name, epoch) USING (name, epoch)
    ORDER BY name FOR NO KEY UPDATE OF leases) AS found
WHERE leases.name = found.name
"""
"""Nobody's from now on: there is nobody to hang up on."""
HOLDER = """
SELECT node, until < clock_timestamp() FROM leases WHERE name = %(name)s
"""
ENDED = """
SELECT DISTINCT session FROM leases
WHERE name = ANY(%(names)s) AND until < clock_timestamp() AND node <> ''
AND session <> %(session)s
"""
HANG_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user
AND application_name LIKE %s AND pid <> pg_backend_pid()
"""
WAIT = "SELECT pg_advisory_xact_lock(6983426201)"
"""A number of our own, within this database; let go of when the commit is done.
Source: postgresql.org/docs/current/explicit-locking.html, "Advisory Locks"."""
FENCE = f"""
SELECT name, epoch, until > clock_timestamp(), {WARY}, pg_current_xact_id()::text
FROM leases JOIN unnest(%(names)s::text[], %(epochs)s::bigint[])
    AS mine (name, epoch) USING (name, epoch) ORDER BY name FOR SHARE OF leases
"""  # noqa: S608 - names of settings
