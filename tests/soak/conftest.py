"""Installations as in the end-to-end tests."""

from e2e.conftest import installation_factory

__all__ = ["installation_factory"]
