"""Whose clock an alarm's time is from, in words. Pure."""

from collections.abc import Mapping

from evidenced.core.alarms.alarm import TimeSource
from evidenced.core.phrase import glued, kept, phrase

_WORDS: Mapping[TimeSource, str] = {
    TimeSource.PAYLOAD: phrase("time from the message"),
    TimeSource.AMBIGUOUS: phrase(
        "time from the message; that local time exists twice, the window covers both"
    ),
    TimeSource.GAP: phrase(
        "time from the message; that local time never was, the instant after the gap "
        "counts"
    ),
    TimeSource.END: phrase("time from the message, of its end only"),
    TimeSource.OPERATOR: phrase("time that an operator said"),
    TimeSource.SILENCE: phrase("the end of the silence: the alarm was still on"),
    TimeSource.RECEIVED: phrase("time of arrival"),
    TimeSource.UNREADABLE: phrase("time of arrival: the message carries none"),
    TimeSource.FUTURE: phrase("time of arrival: that of the message is later"),
    TimeSource.ANCIENT: phrase("time of arrival: that of the message is before 2000"),
}
_LONGEST_FIRST = sorted(_WORDS, key=len, reverse=True)


def time_words(source: str) -> str:
    """`time of arrival: the message carries none`, with what else makes it unsure."""
    for known in _LONGEST_FIRST:
        if source == known or source.startswith(
            (f"{known} ", f"{known};", f"{known},")
        ):
            rest = source[len(known) :].lstrip(" ;,")
            return glued(_WORDS[known], "; ", kept(rest)) if rest else _WORDS[known]
    return kept(source)
