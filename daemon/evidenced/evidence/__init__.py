"""Evidence records on mounted shares: written, signed, and checked anywhere."""

from evidenced.evidence.folder import ShareFolders
from evidenced.evidence.importing import SharedRecords
from evidenced.evidence.page import RecordPage
from evidenced.evidence.signature import Signer

__all__ = ["RecordPage", "ShareFolders", "SharedRecords", "Signer"]
