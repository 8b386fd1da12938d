"""Chance from the operating system."""

import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without l, o, 0 and 1: ids are read aloud over the telephone."""


class SystemDice:
    """Chance from the operating system. See ports.Dice."""

    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def jitter(self) -> float:
        return self._random.random()

    def token(self) -> str:
        number = int.from_bytes(secrets.token_bytes(5))
        return "".join(ALPHABET[number >> 5 * n & 31] for n in range(8))
