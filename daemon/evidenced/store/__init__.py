"""The store: SQLAlchemy Core on one writer thread. Nothing outside knows which one."""

from evidenced.store.database import (
    ServerSettings,
    SqlStore,
    StoreSettings,
    database_of,
    open_store,
    store_file,
)

__all__ = [
    "ServerSettings",
    "SqlStore",
    "StoreSettings",
    "database_of",
    "open_store",
    "store_file",
]
