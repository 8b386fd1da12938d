"""Vendor words for the state of an export or of one of its devices.

No list of them was found; pending, busy, finished and failed are those of the vendor's
other queue (getClips), the rest are plain synonyms. Source: sense-api.md B2 2.8.
"""

from evidenced.sense.listed import DeviceProgress

_WORDS = {
    DeviceProgress.PENDING: "pending waiting queued",
    DeviceProgress.RUNNING: "busy exporting running inprogress",
    DeviceProgress.DONE: "finished done completed complete ready success",
    DeviceProgress.FAILED: "failed error aborted",
    DeviceProgress.CANCELLED: "cancelled canceled deleted",
}
_PROGRESS = {word: state for state, words in _WORDS.items() for word in words.split()}


def read_word(word: str) -> DeviceProgress:
    """What a status word means; UNKNOWN for any that we do not know.

    Case, blanks, dashes and dots do not matter ("In progress" is RUNNING).
    """
    letters = "".join(character for character in word if character.isalnum())
    return _PROGRESS.get(letters.casefold(), DeviceProgress.UNKNOWN)
