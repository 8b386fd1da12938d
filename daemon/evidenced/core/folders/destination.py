"""Which folder an incident's exports go to, from one recorder."""

from dataclasses import dataclass
from datetime import tzinfo

from evidenced.core.errors import BadInput
from evidenced.core.folders.paths import PathTemplate, within
from evidenced.core.ids import RecorderName
from evidenced.core.incidents.incident import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What the configuration in force says about an incident's folder.

    `zone` is the local time of paths; nothing leaves `root`.
    """

    template: PathTemplate
    root: str
    instance: str
    zone: tzinfo


def folder_for(incident: Incident, recorder: RecorderName, naming: Naming) -> str:
    """The folder that the first export of this incident from this recorder gets.

    Raises:
        BadInput: the template cannot give a path, or the path leaves the root.
    """
    values = {
        **incident.fields,
        "id": incident.id,
        "rule": incident.rule,
        "key": incident.key,
        "recorder": recorder,
        "instance": naming.instance,
    }
    instants = {"opened": incident.opened_at}
    if "ended" in naming.template.names:
        instants["ended"] = incident.span.end
    path = naming.template.render(values, instants, naming.zone)
    if not within(path, naming.root):
        raise BadInput(f"{path!r} leaves the destination's root {naming.root!r}")
    return path
