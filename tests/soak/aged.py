"""`evidenced run`, but what is finished is old after minutes: soak.aged MINUTES FILE.

It writes beside FILE what only the process itself knows of its memory.
"""

import sys
from datetime import timedelta
from pathlib import Path

from evidenced.app import run
from evidenced.core import trust
from evidenced.pipeline.janitor import Janitor
from soak.inside import keep_telling

RETAIN = timedelta(minutes=float(sys.argv[1]))

Janitor.retain = property(  # type: ignore[assignment]
    lambda _self: RETAIN, lambda _self, _value: None
)
trust.PROOF = trust.UNKEPT_PROOF = timedelta(0)
keep_telling(Path(sys.argv[2]).with_name("inside.json"))
sys.exit(run(Path(sys.argv[2])))
