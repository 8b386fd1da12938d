"""What makes it known to the factory: one row, as for any kind."""

from evidenced.core.recorder import Capabilities
from evidenced.kinds import Kind

PULLED = Kind(
    adapter="pulled.adapter",
    can=Capabilities(has_path=False, furthest_tag=None),
    no_tag=lambda _: "an archive keeps all it has",
    asks={},
)
