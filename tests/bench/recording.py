"""Where a benchmark's rows go: printed, and compared in ratios of the same run."""

import sys
from collections.abc import Sequence
from statistics import median


def report(name: str, **figures: float | str) -> None:
    shown = "  ".join(f"{key} {_shown(value)}" for key, value in figures.items())
    sys.stdout.write(f"\n{name:42} {shown}\n")


def spread(name: str, values: Sequence[float]) -> None:
    """One figure that was measured several times."""
    report(name, min=min(values), median=median(values), max=max(values))


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.3g}"
