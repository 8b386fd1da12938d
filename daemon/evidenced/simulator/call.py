"""One request on its way through the recorder."""

from dataclasses import dataclass, field
from datetime import datetime

from evidenced.core.recorder import ExportOrder
from evidenced.simulator.exchange import Request

NAME_LIMIT = 64
_KNOWN = {
    "exportvideo": "exportVideo",
    "getexportvideostatus": "getExportVideoStatus",
    "getdevicelist": "getDeviceList",
    "getdivalist": "getDivaList",
    "getserveroptions": "getServerOptions",
    "getsystemstatus": "getSystemStatus",
    "getimagesequence": "getImageSequence",
    "executeaction": "executeAction",
    "getvideotaglist": "getVideoTagList",
}


@dataclass(slots=True, kw_only=True)
class Call:
    """`query` has lower-case names; the last four are what handling it found out."""

    request: Request
    command: str
    query: dict[str, str]
    elapsed: float
    own_now: datetime
    session: str | None = None
    order: ExportOrder | None = None
    exportid: int | None = None
    code: int | None = field(default=None)


def command_of(request: Request) -> str:
    """The request's name for journal and faults; DELETE has a name of its own."""
    path = request.path.lower().rstrip("/")
    if path == "/info":
        return "info"
    if path == "/webservice":
        return "login"
    if path != "/command":
        return "unknown"
    given = query_of(request).get("command", "")
    name = _KNOWN.get(given.lower(), given[:NAME_LIMIT])
    if name == "exportVideo" and request.method == "DELETE":
        return "deleteExportVideo"
    return name


def query_of(request: Request) -> dict[str, str]:
    """Parameter names are compared without case (sense-api.md B8)."""
    return {name.lower(): value for name, value in request.query.items()}


def session_of(request: Request) -> str | None:
    """The key of `Cookie: sessionkey=KEY` (sense-api.md 1.9)."""
    for pair in request.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == "sessionkey":
            return value
    return None
