"""Secrets are read late, and only `reveal` gives them."""

import re
from pathlib import Path

import pytest

from evidenced.cli.main import run
from evidenced.config.secret import Origin, Secret
from evidenced.core.errors import BadInput


def test_a_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    secret = Secret(Origin.FILE, str(file))
    file.write_text("first\n")
    assert secret.reveal({}) == "first"
    file.write_text("second\r\n")
    assert secret.reveal({}) == "second"


def test_only_the_last_line_break_goes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" a b \n\n")
    assert Secret(Origin.FILE, str(tmp_path / "secret")).reveal({}) == " a b \n"


def test_a_credential_is_in_the_folder_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "sense").write_text("s3cret")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert Secret(Origin.CREDENTIAL, "sense").reveal(environ) == "s3cret"


def test_a_variable_and_a_literal() -> None:
    assert Secret(Origin.ENV, "P").reveal({"P": "s3cret"}) == "s3cret"
    assert Secret(Origin.LITERAL, "s3cret").reveal({}) == "s3cret"


def test_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIDENCED_TEST_SECRET", "s3cret")
    assert Secret(Origin.ENV, "EVIDENCED_TEST_SECRET").reveal() == "s3cret"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (Secret(Origin.ENV, "P"), "the environment variable P is empty or not set"),
        (Secret(Origin.CREDENTIAL, "p"), "$CREDENTIALS_DIRECTORY is not set"),
        (Secret(Origin.FILE, "/nowhere/p"), "No such file or directory"),
        (Secret(Origin.FILE, "/"), "Is a directory"),
        (Secret(Origin.FILE, "/a\0b"), "is not readable"),
        (Secret(Origin.FILE, "/dev/zero"), "is longer than 65536 bytes"),
        (Secret(Origin.FILE, "/dev/null"), "is empty"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(secret: Secret, said: str) -> None:
    with pytest.raises(BadInput, match=re.escape(said)):
        secret.reveal({})


def test_a_file_that_is_no_text_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s3cret\xff")
    with pytest.raises(BadInput) as caught:
        Secret(Origin.FILE, str(tmp_path / "secret")).reveal({})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_literal_is_never_shown() -> None:
    secret = Secret(Origin.LITERAL, "s3cret")
    assert f"{secret} {secret!r}" == "Secret(literal: ***) Secret(literal: ***)"
    assert str(Secret(Origin.FILE, "/p")) == "Secret(file: /p)"


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (0o600, ""),
        (0o400, ""),
        (0o640, ""),
        (0o644, "can be read by everybody (mode 0644): chmod 600 it"),
        (0o666, "can be written by others (mode 0666): chmod 600 it"),
        (0o660, "can be written by others (mode 0660): chmod 600 it"),
    ],
)
def test_a_file_that_others_may_touch_is_told(
    tmp_path: Path, mode: int, why: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret")
    file.chmod(mode)
    told = Secret(Origin.FILE, str(file)).exposure({})
    assert told == (f'the secret file "{file}" {why}' if why else "")
    credential = Secret(Origin.CREDENTIAL, "secret")
    assert bool(credential.exposure({"CREDENTIALS_DIRECTORY": str(tmp_path)})) is (
        bool(why)
    )


def test_a_file_in_a_folder_that_everybody_writes_can_be_replaced(
    tmp_path: Path,
) -> None:
    file = tmp_path / "open" / "secret"
    file.parent.mkdir()
    file.write_text("s3cret")
    file.chmod(0o600)
    file.parent.chmod(0o777)
    assert "can be replaced" in Secret(Origin.FILE, str(file)).exposure({})
    file.parent.chmod(0o1777)
    assert Secret(Origin.FILE, str(file)).exposure({}) == ""
    assert Secret(Origin.FILE, str(tmp_path / "gone")).exposure({}) == ""
    assert Secret(Origin.ENV, "PASSWORD").exposure({}) == ""


ADDRESSES = (
    ('daemon]\nstore = "{}"', "postgresql"),
    ('mqtt]\nurl = "{}"', "mqtt"),
    ('recorders.main]\nurl = "{}"', "http"),
    ('web]\npublic_url = "{}"', "https"),
    ('evidence]\ntimestamp = "{}"', "https"),
)
WRITTEN = (
    "{}://u:s3cret@host.example",
    "{}://u:s3cret pass@host.example",
    "{}://u:[s3cret@host.example",
    "{}://u:a/s3cret@host.example",
    "{}://u:s3cret@host.example:99999",
    "{}x://u:s3cret@host.example",
    "{}:u:s3cret@host.example",
    "{}://host.example/x?token=s3cret",
    "{}://host.example/x#s3cret",
    "{}x://host.example?password=s3cret",
)


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(("key", "scheme"), ADDRESSES)
def test_what_an_address_holds_besides_is_never_repeated(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    key: str,
    scheme: str,
    written: str,
) -> None:
    """However a password or a token came into it, and whatever else is wrong."""
    file = tmp_path / "evidenced.toml"
    file.write_text(f"[{key}\n".format(written.format(scheme)))
    assert run(["check", "-c", str(file)]) in {1, 2}
    told = capsys.readouterr()
    assert "s3cret" not in told.err + told.out
