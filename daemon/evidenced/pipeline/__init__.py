"""The loops: each reads the store, asks the core what to do, and writes the store."""
