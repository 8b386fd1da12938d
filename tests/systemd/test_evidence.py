"""Evidence records under the sandbox: evidence.conf, a share, its guard, the key."""

from fakes.nas import GUARD, NAS, WRONG, folder_of, keygen, mount
from fakes.service import Service


def test_a_record_is_written_to_the_share_and_signed(nas: Service) -> None:
    public = keygen(nas)
    mount(nas.machine, NAS)
    nas.start()
    before = nas.machine.cursor()
    nas.publish("panic/1")
    done = nas.line(before, "evidence record written")
    folder = folder_of(nas, done["EVIDENCED_INCIDENT"])
    said = nas.command("verify", folder, "--key", public)
    assert "intact" in said
    owner = nas.machine.run("stat", "-c", "%u %G", f"{folder}/incident.json").stdout
    assert owner.split()[1] == "evidence"
    assert owner.split()[0] != "0"
    assert "intact" in nas.command("audit", "verify")


def test_nothing_is_sent_to_the_wrong_share_till_the_right_one_is_there(
    nas: Service,
) -> None:
    keygen(nas)
    mount(nas.machine, WRONG)
    before = nas.machine.cursor()
    nas.start()
    wrong = nas.line(before, "share is not there; nothing is sent to its destination")
    assert wrong["PRIORITY"] == "4"
    assert GUARD in wrong["MESSAGE"]
    nas.publish("panic/1")
    nas.line(before, "incident opened")
    nas.machine.until(
        lambda: '"state": "waiting"' in nas.command("incidents", "list", "--json"),
        "the incident waits",
    )
    assert nas.machine.run("ls", "-A", WRONG).stdout == ""
    mount(nas.machine, NAS)  # the service runs already, and sees it all the same
    # else it looks within 30 s
    nas.machine.run("systemctl", "reload", "evidenced")
    nas.line(before, "share is back")
    done = nas.line(before, "evidence record written")
    folder_of(nas, done["EVIDENCED_INCIDENT"])
    assert nas.machine.run("ls", "-A", WRONG).stdout == ""
