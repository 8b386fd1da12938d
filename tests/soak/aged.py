"""`evidenced run`, but what is finished is old after minutes: aged.py MINUTES FILE."""

import sys
from datetime import timedelta
from pathlib import Path

from evidenced.app import run
from evidenced.pipeline import janitor
from evidenced.pipeline.janitor import Janitor

RETAIN = timedelta(minutes=float(sys.argv[1]))

Janitor.retain = property(  # type: ignore[assignment]
    lambda _self: RETAIN, lambda _self, _value: None
)
janitor.is_trusted = lambda *_, **__: True  # type: ignore[assignment]
sys.exit(run(Path(sys.argv[2])))
