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
