"""The service on a machine that is not as it should be: network and clock."""

from fakes.service import CONFIG, Service

TIMESYNCD = "/run/systemd/timesync"


def test_it_starts_before_names_can_be_resolved(service: Service) -> None:
    """As at a boot: the network and its name server come later."""
    service.configure(CONFIG.replace("127.0.0.1:1883", "broker.test:1883"))
    service.machine.run("touch", "/etc/hosts")  # a minimal root may have none
    service.machine.run("cp", "/etc/hosts", "/etc/hosts.before")
    try:
        service.machine.run("systemctl", "start", "--no-block", "evidenced")
        name = "broker.test"
        service.machine.until(lambda: name in service.show("StatusText"), name)
        assert service.show("ActiveState") == "activating"
        there = "echo 127.0.0.1 broker.test >>/etc/hosts"
        service.machine.run("sh", "-c", there)
        service.until_active()
        assert service.show("NRestarts") == "0"
    finally:
        service.machine.run("cp", "/etc/hosts.before", "/etc/hosts")


def test_a_clock_that_nobody_has_set_is_told_and_marked(service: Service) -> None:
    service.machine.run("mkdir", "-p", TIMESYNCD)
    try:
        before = service.machine.cursor()
        service.start()
        warning = (
            "the host's clock is not in sync; alarms without a time of their own get "
            "what it says"
        )
        assert service.line(before, warning)["PRIORITY"] == "4"
        note = "the host's clock is not in sync"
        service.machine.until(lambda: note in service.show("StatusText"), note)
        service.publish("panic/1")
        service.line(before, "incident opened")
        listed = service.command("incidents", "list", "--json")
        assert '"rule": "panic"' in listed
        service.machine.run("touch", f"{TIMESYNCD}/synchronized")
        service.line(before, "the host's clock is in sync")
    finally:
        service.machine.run("rm", "-rf", TIMESYNCD)
