"""Where a benchmark's rows go: printed, and compared in ratios of the same run."""

import sys


def report(name: str, **figures: float | str) -> None:
    shown = "  ".join(f"{key} {_shown(value)}" for key, value in figures.items())
    sys.stdout.write(f"\n{name:42} {shown}\n")


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.3g}"
