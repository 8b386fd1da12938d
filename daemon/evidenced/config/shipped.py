"""The ready-made rules that come with evidenced, one file for each alarm system."""

from pathlib import Path


def shipped_folder() -> Path | None:
    """The folder that has `systems/`: in the package, or in a checkout `config/`."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parents[1] / "config"):
        if (folder / "systems").is_dir():
            return folder
    return None


def shipped_names() -> tuple[str, ...]:
    """What can be included without having it: "systems/axis.toml" and so on."""
    folder = shipped_folder()
    found = folder.glob("systems/*.toml") if folder else ()
    return tuple(sorted(f"systems/{file.name}" for file in found))
