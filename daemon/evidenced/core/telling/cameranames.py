"""What people call the cameras of an incident, told apart however alike they are."""

from collections.abc import Iterable, Sequence

from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.incident import Clip
from evidenced.core.phrase import plural
from evidenced.core.wording import shortened

MOST_NAME = 60
MOST_TOLD = 5


def camera_name(clip: Clip) -> str:
    """The label for people; the configured name where it has none."""
    name = clip.label or clip.camera
    return shortened(one_line(name, len(name)), MOST_NAME)


def camera_names(clips: Iterable[Clip]) -> list[str]:
    """The cameras of these clips, each once, however alike they are called."""
    return list({clip.camera: camera_name(clip) for clip in clips}.values())


def few(names: Sequence[str]) -> str:
    """All of a few; of many the first, and how many more there are."""
    told = ", ".join(names[:MOST_TOLD])
    more = len(names) - MOST_TOLD
    if more <= 0:
        return told
    return plural("{spans} and {n} more", "{spans} and {n} more", more, spans=told)
