"""The configuration: a TOML file to frozen, checked values, or all of its faults."""

from evidenced.config.load import ConfigUnreadable, Loaded, load, load_text
from evidenced.config.models import Config

__all__ = ["Config", "ConfigUnreadable", "Loaded", "load", "load_text"]
