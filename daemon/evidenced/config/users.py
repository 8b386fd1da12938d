"""Users of the page: a hash alone, or a hash with a role."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from evidenced.config.forms import Form, text_of
from evidenced.core.account import Account, Role

_HASH = r"\$argon2id\$[!-~]{20,400}"


@dataclass(frozen=True, kw_only=True)
class UserForm(Form):
    """An account; the hash is never repeated."""

    wrong: ClassVar[object] = 12345

    @property
    @override
    def is_secret(self) -> bool:
        return True

    @property
    @override
    def must_be(self) -> str:
        return (
            'an argon2id hash that begins with "$argon2id$", or '
            '{ password = "$argon2id$...", role = "viewer" } (or "operator")'
        )

    @override
    def parse(self, value: object) -> Account:
        role = Role.OPERATOR.value
        if isinstance(value, Mapping):
            if not {"password"} <= value.keys() <= {"password", "role"}:
                raise ValueError
            role, value = value.get("role", role), value["password"]
        if not isinstance(value, str) or not re.fullmatch(_HASH, value):
            raise ValueError
        return Account(password=value, role=Role(text_of(role)))

    @property
    @override
    def schema(self) -> dict[str, Any]:
        hashed = {"type": "string", "pattern": f"^{_HASH}$"}
        table = {
            "type": "object",
            "properties": {
                "password": hashed,
                "role": {"enum": [role.value for role in Role]},
            },
            "required": ["password"],
            "additionalProperties": False,
        }
        return {"anyOf": [hashed, table]}

    @override
    def render(self, value: Any) -> object:
        if value.role is Role.OPERATOR:
            return value.password
        return {"password": value.password, "role": value.role.value}
