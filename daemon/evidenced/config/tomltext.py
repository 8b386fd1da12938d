"""Values as TOML text, for the example and the key reference."""

import json
from collections.abc import Mapping


def to_toml(value: object) -> str:
    """One line of TOML that reads as this value. Windows paths stay readable."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Mapping():
            pairs = ", ".join(f"{key} = {to_toml(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case tuple() | list():
            return f"[{', '.join(map(to_toml, value))}]"
        case _:
            text = str(value)
            is_literal = "\\" in text and "'" not in text and text.isprintable()
            return f"'{text}'" if is_literal else json.dumps(text, ensure_ascii=False)
