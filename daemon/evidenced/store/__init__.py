"""The store: SQLAlchemy Core on one writer thread. Nothing outside knows which one."""

from evidenced.store.database import (
    ServerSettings,
    SqlStore,
    StoreSettings,
    database_of,
    join_store,
    open_store,
    store_file,
)
from evidenced.store.migrate import HEAD

__all__ = [
    "HEAD",
    "ServerSettings",
    "SqlStore",
    "StoreSettings",
    "database_of",
    "join_store",
    "open_store",
    "store_file",
]
