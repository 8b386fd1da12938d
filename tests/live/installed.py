"""Other people's programs, from their registries, each in a folder of its own.

With `EVIDENCED_LIVE` naming a folder they stay there for the next run.
"""

import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest


def _folder(name: str, made: Path) -> Path:
    kept = os.environ.get("EVIDENCED_LIVE", "")
    return Path(kept) / name if kept else made / name


def from_pypi(name: str, made: Path, *packages: str) -> Path:
    """The Python that has them; skips where they cannot be had."""
    folder = _folder(name, made)
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        venv.create(folder, with_pip=True, clear=True)
        _install([str(python), "-m", "pip", "install", "-q", *packages], folder)
    return python


def from_npm(name: str, made: Path, *packages: str) -> Path:
    """The folder with their `node_modules`; skips where they cannot be had."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = _folder(name, made)
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        _install([*command, *packages], folder)
    return folder


def _install(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"{command[-1]} cannot be installed: {done.stderr[-200:]}")
    (folder / "done").touch()
