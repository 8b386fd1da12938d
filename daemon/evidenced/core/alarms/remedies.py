"""What to write instead, for what people who know other languages write first.

Of JSONPath, SQL, Python, JavaScript and templates; each is no JMESPath at one place.
"""

import re

from evidenced.core.wording import nearest

_WORDS = {
    "and": "write && for and",
    "AND": "write && for and",
    "&": "write && for and",
    "or": "write || for or",
    "OR": "write || for or",
    "not": "write ! for not",
    "NOT": "write ! for not",
    "in": """write contains(`["a", "b"]`, key) for one of several""",
    "is": "write == to compare",
    "=": "write == to compare",
    "{": "a key stands without braces; captured('name') is what the topic captures",
    "}": "a key stands without braces; captured('name') is what the topic captures",
    "$": "JMESPath has no $: begin with the first key; @ is the whole message",
    "+": "write sum([a, b]) to add, join('', [a, b]) for texts",
    "~": "write contains(key, 'text'); JMESPath has no patterns",
    "\u201c": "write ' around a text, and no curly quotes",
    "\u201d": "write ' around a text, and no curly quotes",
    "\u2018": "write ' around a text, and no curly quotes",
    "\u2019": "write ' around a text, and no curly quotes",
}
_IN_KEYS = re.compile(r"[\w-]+(?:[-/#%$:\u00a0-\uffff][\w-]*)+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_INTEGER = re.compile(r"-?\d+")
_FUNCTIONS = {
    "len": "length",
    "count": "length",
    "size": "length",
    "startswith": "starts_with",
    "endswith": "ends_with",
    "includes": "contains",
    "substring": "substr",
    "int": "to_number",
    "float": "to_number",
    "number": "to_number",
    "str": "to_string",
    "string": "to_string",
    "tolower": "lower",
    "toupper": "upper",
    "strip": "trim",
    "json": "from_json",
    "parse_json": "from_json",
    "base64": "from_base64",
    "typeof": "type",
}
_PATTERNS = frozenset({"match", "matches", "regex", "regexp", "test", "like", "search"})


def instead(text: str, column: int, found: str) -> str:
    """What to write where this stands (column from 1), behind "; "; else nothing."""
    if _INTEGER.fullmatch(found):
        whole = _NUMBER.match(text, column - 1)
        number = whole[0] if whole else found
        return (
            f"; write `{number}` in backquotes for the number, '{number}' in single "
            "quotes for the text"
        )
    word = found or text[column - 1 : column]
    before = text[: column - 1].split()[-1:]
    if before and before[0].lower() == "not":
        return f"; {_WORDS['not']}"
    if text[column - 1 : column + 1] == "=~":
        return f"; {_WORDS['~']}"
    for key in _IN_KEYS.finditer(text):
        if key.start() < column - 1 < key.end():
            return (
                "; a key with such a sign stands in double quotes: "
                f'"{key[0]}", in TOML \\"{key[0]}\\"'
            )
    remedy = _WORDS.get(word, "")
    return f"; {remedy}" if remedy else ""


def function_instead(wrong: str, known: frozenset[str]) -> str:
    """The function that was meant, behind "; "; else nothing."""
    if wrong == "not":
        return "; write ! for not"
    if wrong in _PATTERNS:
        return "; JMESPath has no patterns: contains(), starts_with(), split(), pattern"
    meant = _FUNCTIONS.get(wrong.lower()) or nearest(wrong, sorted(known))
    return f"; did you mean {meant}()?" if meant else ""
