"""jmespath's interpreter, bounded: else a message decides how long an expression takes.

Messages are read on the daemon's loop, and a filter that looks through a list for each
of its own items (`[?contains(whole(), @)]`) takes hours over the longest message that
is read. So what an expression visits is counted, and what it has to go through.
"""

from typing import Any, Final

from jmespath.visitor import Options, TreeInterpreter

from evidenced.core.alarms.functions import FunctionFault, OwnFunctions
from evidenced.core.phrase import phrase

MAX_STEPS: Final = 1_000_000
"""About a second. A filter with one comparison takes five for each item of a list."""

ITEMS_A_STEP: Final = 32
CHARACTERS_A_STEP: Final = 1_024
"""Of a value that is copied or searched, in the time that a step takes."""

TOO_LONG: Final = phrase(
    "an expression takes more than {most} steps over this message: have it filter a "
    "list before it combines or compares its items",
    most=f"{MAX_STEPS:,}",
)


class Interpreter(TreeInterpreter):  # type: ignore[misc]  # jmespath has no types
    """Of one expression; one evaluation at a time, from `begin` on."""

    def __init__(self, functions: OwnFunctions) -> None:
        super().__init__(Options(custom_functions=functions))
        self._left = MAX_STEPS

    def begin(self, tree: dict[str, Any], value: object) -> object:
        """What the expression gives over a value.

        Raises:
            FunctionFault: it would take too long.
            Exception: whatever jmespath raises.
        """
        self._left = MAX_STEPS
        return self.visit(tree, value)

    def visit(self, node: dict[str, Any], value: object) -> object:
        """A part of the expression; what it gives will be gone through."""
        self._left -= 1
        if self._left < 0:
            raise FunctionFault(TOO_LONG)
        given: object = super().visit(node, value)
        if isinstance(given, list | dict):
            self._left -= len(given) // ITEMS_A_STEP
        elif isinstance(given, str):
            self._left -= len(given) // CHARACTERS_A_STEP
        return given
