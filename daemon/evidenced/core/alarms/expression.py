"""JMESPath expressions over payloads, with every fault turned into one sentence.

jmespath is the only third-party import of the core: it is pure (a value and an
expression in, a value out), and a language that integrators know beats one of our own.
"""

import re
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.parser import Parser

from evidenced.core.alarms.effort import Interpreter
from evidenced.core.alarms.functions import (
    NOWHERE,
    Context,
    FunctionFault,
    OwnFunctions,
)
from evidenced.core.alarms.payload import one_line, quoted
from evidenced.core.alarms.remedies import function_instead, instead
from evidenced.core.errors import BadInput, EvidencedError
from evidenced.core.phrase import glued, mark, phrase

MAX_EXPRESSION = 2_000
"""Characters. The longest seen in rule sets of the field have a few hundred; jmespath
parses recursively, so that its depth has to be bounded by something."""

MAX_DEPTH = 200
"""Levels of the parsed expression. Evaluation takes two frames for each, other looks at
the tree three at most, and Python allows a thousand in all."""


TOO_DEEP = phrase("expression is nested too deeply; simplify it.")


class ExpressionError(EvidencedError):
    """An expression could not be evaluated over this payload.

    The text depends on the kind of fault and never on the payload's values, so that
    the caller can tell each fault once.
    """


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. Two are equal when their texts are. Build with `parse`."""

    text: str
    _tree: dict[str, Any] = field(compare=False, repr=False)
    _interpreter: Interpreter = field(compare=False, repr=False)
    _functions: OwnFunctions = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """The expression that `text` says, its functions and their arity checked.

        One for all that say the same.

        Raises:
            BadInput: it is no JMESPath; the sentence names the column (from 1).
        """
        if len(text) > MAX_EXPRESSION:
            raise BadInput(
                phrase(
                    "expression is {length} characters long; at most {most}.",
                    length=len(text),
                    most=MAX_EXPRESSION,
                )
            )
        return _parsed(text)

    @property
    def tree(self) -> dict[str, Any]:
        """The parsed expression, as jmespath has it: only to be looked at."""
        return self._tree

    def evaluate(self, payload: object, context: Context = NOWHERE) -> object:
        """What the expression gives over a payload. None where a part is missing.

        By one thread at a time.

        Raises:
            ExpressionError: jmespath could not, whatever its reason; nothing else.
        """
        self._functions.context = context
        try:
            return self._interpreter.begin(self._tree, payload)
        # Beside its own errors jmespath lets TypeError ('a' < 1), OverflowError (floor
        # of infinity), ValueError (a slice's step of 0) and RecursionError escape.
        except Exception as error:  # noqa: BLE001 - one message must not stop the next
            raise ExpressionError(_fault(error)) from None

    def is_true(self, payload: object, context: Context = NOWHERE) -> bool:
        """Whether it holds as JMESPath sees truth.

        False are null, false, "", [] and {}; everything else is true, 0 and "false"
        included. Source: JMESPath specification, "Or expressions".

        Raises:
            ExpressionError: as in `evaluate`.
        """
        return truth(self.evaluate(payload, context))


def part_of(tree: dict[str, Any]) -> Expression:
    """A part of a parsed expression, by itself: for looking at what it sees."""
    functions = OwnFunctions()
    return Expression("", tree, Interpreter(functions), functions)


def truth(value: object) -> bool:
    """Whether a value counts as true where a condition is asked for."""
    if value is True:  # what a comparison gives
        return True
    if value is None or value is False:
        return False
    return not (isinstance(value, str | list | dict) and not value)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Expression:
    """A thousand rules of one system share their expressions."""
    tree = _parse_tree(text)
    if _is_too_deep(tree):
        raise BadInput(TOO_DEEP)
    _check_functions(text, tree)
    # One interpreter an expression: jmespath builds one for each search, which
    # costs as much as a small search. It keeps nothing but a cache of methods.
    functions = OwnFunctions()
    return Expression(text, tree, Interpreter(functions), functions)


def _parse_tree(text: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            # The old literal form `active` without quotes still works and is what many
            # examples show; jmespath only warns.
            warnings.simplefilter("ignore")
            tree: dict[str, Any] = Parser().parse(text).parsed
    except EmptyExpressionError:
        empty = phrase("expression is empty; leave the key out instead.")
        raise BadInput(empty) from None
    except RecursionError:
        raise BadInput(TOO_DEEP) from None
    except ParseError as error:
        column, why = _place(text, error)
        raise BadInput(_wrong(text, column, why)) from None
    return tree


def _is_too_deep(tree: dict[str, Any]) -> bool:
    """Looked at level by level: this is what keeps all other looks from recursing."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        parts = (part for node in level for part in node["children"])
        level = [part for part in parts if isinstance(part, dict)]
    return bool(level)


def _place(text: str, error: ParseError) -> tuple[int, str]:
    """Column from 1 and what is wrong there."""
    if isinstance(error, IncompleteExpressionError):
        return len(text) + 1, phrase("it ends too early")
    if isinstance(error, LexerError):
        column = error.lexer_position + 1
        return column, _one_line(error.message) + instead(text, column, "")
    column, token = error.lex_position + 1, str(error.token_value)
    shown = phrase("{token} does not belong here", token=repr(error.token_value))
    return column, shown + instead(text, column, token)


def _wrong(text: str, column: int, why: str) -> str:
    return phrase(
        "expression {text} is wrong at column {column}: {why}.",
        text=quoted(text),
        column=column,
        why=why,
    )


def _one_line(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
    return one_line(shown, 200).rstrip(".")


def _check_functions(text: str, node: dict[str, Any]) -> None:
    """Refuse what would fail on every message: unknown functions, wrong arity."""
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(text, child)
    if node["type"] != "function_expression":
        return
    name, given = node["value"], len(node["children"])
    column = text.find(name) + 1
    known = OwnFunctions.FUNCTION_TABLE.get(name)
    if known is None:
        meant = function_instead(name, frozenset(OwnFunctions.FUNCTION_TABLE))
        unknown = phrase("there is no function {name}()", name=name)
        raise BadInput(_wrong(text, column, glued(unknown, meant)))
    wanted = known["signature"]
    is_variadic = bool(wanted) and bool(wanted[-1].get("variadic"))
    if given < len(wanted) or (given > len(wanted) and not is_variadic):
        takes = (
            mark("{name}() takes at least {wanted}, not {given}")
            if is_variadic
            else mark("{name}() takes {wanted}, not {given}")
        )
        why = phrase(takes, name=name, wanted=len(wanted), given=given)
        raise BadInput(_wrong(text, column, why))


_TWO_KINDS = re.compile(r"'([<>]=?)' not supported between .* '(\w+)' and '(\w+)'")


def _fault(error: Exception) -> str:
    if isinstance(error, FunctionFault):
        return str(error)
    if isinstance(error, JMESPathTypeError):
        wanted = " or ".join(str(kind) for kind in error.expected_types)
        return phrase(
            "{name}() takes {wanted}, not {given}",
            name=error.function_name,
            wanted=wanted,
            given=error.actual_type,
        )
    if isinstance(error, TypeError):
        return phrase("values do not compare ({why})", why=_uncompared(str(error)))
    kind = type(error).__name__
    return phrase("cannot be evaluated over this payload ({kind})", kind=kind)


_KINDS = {"str": "a text", "list": "a list", "dict": "an object", "bool": "a truth"}


def _uncompared(error: str) -> str:
    """Python's words for `<` and `>` between two kinds, in ours."""
    found = _TWO_KINDS.search(error)
    if found is None:
        return _one_line(error)
    sign, *kinds = found.groups()
    one, other = (_KINDS.get(kind, "a number") for kind in kinds)
    hint = "; to_number() makes one of a text" if "a text" in {one, other} else ""
    return f"{sign} between {one} and {other}{hint}"
