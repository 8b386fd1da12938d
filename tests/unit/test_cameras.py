from dataclasses import replace

from evidenced.core.camera import CameraRef, Roster
from evidenced.core.ids import CameraName, GroupName
from fakes.incident import DOOR, GATE, LOBBY

ROSTER = Roster(
    cameras={each.name: each for each in (LOBBY, DOOR, GATE)},
    groups={
        GroupName("all"): (LOBBY.name, DOOR.name, GATE.name),
        GroupName("none"): (),
    },
)


def test_each_camera_comes_once_and_in_order() -> None:
    refs = [CameraRef("gate"), CameraRef("all", is_group=True), CameraRef("door")]
    assert ROSTER.find(refs) == ((GATE, LOBBY, DOOR), ())


def test_names_that_nobody_configured_are_told_once_and_the_others_go_on() -> None:
    refs = [
        CameraRef("garage"),
        CameraRef("lobby"),
        CameraRef("garage"),
        CameraRef("attic", is_group=True),
        CameraRef("none", is_group=True),
    ]
    assert ROSTER.find(refs) == ((LOBBY,), ("garage", "@attic", "@none"))


def test_a_captured_value_never_becomes_a_group() -> None:
    assert ROSTER.find([CameraRef("@all"), CameraRef("all")]) == ((), ("@all", "all"))
    assert CameraName("all") not in ROSTER.cameras


def test_a_name_that_a_panel_spells_otherwise_is_the_same_camera() -> None:
    """Seen: an umlaut of two characters, or capitals, and the incident failed."""
    kitchen = replace(LOBBY, name=CameraName("K\u00fcche"))
    roster = Roster(
        cameras={kitchen.name: kitchen, DOOR.name: DOOR},
        groups={GroupName("Au\u00dfen"): (DOOR.name,)},
    )
    for name in ("K\u00fcche", "Ku\u0308che", "K\u00dcCHE", " k\u00fcche"):
        assert roster.find([CameraRef(name)]) == ((kitchen,), ())
    assert roster.find([CameraRef("AUSSEN", is_group=True)]) == ((DOOR,), ())
    assert roster.find([CameraRef("kuche")]) == ((), ("kuche",))


def test_names_that_differ_by_their_spelling_only_are_told_apart() -> None:
    shout = replace(DOOR, name=CameraName("LOBBY"))
    roster = Roster(cameras={LOBBY.name: LOBBY, shout.name: shout}, groups={})
    assert roster.find([CameraRef("lobby"), CameraRef("LOBBY")]) == ((LOBBY, shout), ())
    assert roster.find([CameraRef("Lobby")]) == ((), ("Lobby",))
