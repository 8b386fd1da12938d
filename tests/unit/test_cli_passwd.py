import io

import pytest
from argon2 import PasswordHasher

from evidenced.cli.main import run


def test_the_hash_is_of_the_line_that_was_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\nand more\n"))
    assert run(["passwd"]) == 0
    said = capsys.readouterr().out.strip()
    assert PasswordHasher().verify(said, "correct horse")
    assert said.startswith("$argon2id$")


@pytest.mark.parametrize("password", ["", "short", "x" * 1001, "tab\tand bell\a"])
def test_no_hash_is_made_of_an_unusable_password(
    password: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    assert run(["passwd"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_a_password_is_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["passwd", "correct horse"]) == 2
    assert "correct horse" not in capsys.readouterr().out
