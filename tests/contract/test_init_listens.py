"""`evidenced init` at brokers that let nobody listen to everything."""

from datetime import timedelta

import pytest

from evidenced.cli.hearing import _draft, _receive
from evidenced.cli.newconfig import ServerLogin, broker_lines
from evidenced.cli.recognise import Recogniser
from fakes.played_broker import PlayedBroker, played

AT_ONCE = timedelta(milliseconds=1)


@pytest.mark.parametrize("hangs_up", [True, False])
async def test_a_broker_that_refuses_all_topics_is_good_enough(
    capsys: pytest.CaptureFixture[str], *, hangs_up: bool
) -> None:
    broker = PlayedBroker(hangs_up=hangs_up, grants=lambda _name: 0x87)
    async with played(broker):
        account = ServerLogin(url=f"mqtt://127.0.0.1:{broker.port}")
        config = _draft(broker_lines(account))
        assert await _receive(config, Recogniser.of_shipped(), AT_ONCE) is None
    assert "let nobody listen to everything (#)" in capsys.readouterr().err
