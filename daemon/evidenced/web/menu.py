"""The numbers beside the menu's words: what waits for somebody on each page. Pure."""

from collections.abc import Mapping

from evidenced.core.keeping.loss import OF_RULES
from evidenced.core.telling.judgement import Findings, Judgement

HEADER = "X-Evidenced-Menu"
"""With the part of a page that changes go the numbers of the menu."""


def counts(facts: Findings, found: Judgement) -> Mapping[str, int]:
    """By the address of a page; of those that nothing is to be said of, 0.

    What needs somebody; incidents whose footage is missing or late; what is wrong with
    the installation; messages that could not be read; silences in force.
    """
    unread = [each.loss for each in facts.losses]
    return {
        "/": found.number,
        "/without-footage": facts.lost + len(facts.late),
        "/recorders": sum(each.see == "/recorders" for each in found.causes),
        "/refused": sum(
            each.number for each in unread if each.kind in OF_RULES.values()
        ),
        "/silences": len(facts.silences),
    }
