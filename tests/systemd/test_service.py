"""The service as it is shipped, under a real systemd."""

import json

from fakes.service import CONFIG, STATE, Service

OTHER_RULE = CONFIG + CONFIG[CONFIG.index("[[rules]]") :].replace("panic", "door")
IN_ITS_PLACE = (
    # as the service sees the files: its mounts, its user, none of root's rights
    "pid=$1; shift; user=$(stat -c %u /proc/$pid); "
    'exec nsenter -t $pid -m setpriv --reuid $user --regid $user --clear-groups "$@"'
)
SYSTEM_FOLDERS = ("/proc", "/sys", "/dev")


def in_its_place(service: Service, *command: str) -> str:
    pid = str(service.main_pid())
    done = service.machine.run(
        "sh", "-c", IN_ITS_PLACE, "sh", pid, *command, check=False
    )
    return done.stdout


def test_the_unit_says_nothing_that_systemd_does_not_understand(
    service: Service,
) -> None:
    done = service.machine.run("systemd-analyze", "verify", "evidenced.service")
    assert done.stderr == ""


def test_it_is_exposed_no_more_than_promised(running: Service) -> None:
    # in tenths
    running.machine.run("systemd-analyze", "security", "--threshold=11", "evidenced")


def test_it_is_ready_once_the_broker_has_subscribed_us(service: Service) -> None:
    service.machine.run("systemctl", "stop", "broker")
    before = service.machine.cursor()
    service.machine.run("systemctl", "start", "--no-block", "evidenced")
    service.line(before, "evidenced started")
    status = "nothing open; the broker at 127.0.0.1:1883 refuses connections"
    service.machine.until(lambda: status in service.show("StatusText"), status)
    assert service.show("ActiveState") == "activating"
    service.machine.run("systemctl", "start", "broker")
    service.line(before, "alarms are subscribed")
    service.until_active()
    status = "nothing open; broker connected"
    service.machine.until(lambda: service.show("StatusText") == status, status)


def test_it_is_not_ready_without_a_store(service: Service) -> None:
    service.change("[Service]\nRestart=no\n")
    service.machine.write(f"{STATE}/evidenced.sqlite3", "no store " * 1000)
    before = service.machine.cursor()
    done = service.machine.run("systemctl", "start", "evidenced", check=False)
    assert done.returncode != 0
    said = service.said(before)
    assert "file is not a database; it was left as it is: restore a backup" in said
    file = service.machine.run("head", "-c8", f"{STATE}/evidenced.sqlite3")
    assert file.stdout == "no store"


def test_a_state_directory_that_is_read_only_is_told(service: Service) -> None:
    service.change(f"[Service]\nRestart=no\nReadOnlyPaths={STATE}\n")
    before = service.machine.cursor()
    service.machine.run("systemctl", "start", "evidenced", check=False)
    said = service.said(before)
    assert "Read-only file system; it must be a folder that this user can" in said


def test_it_never_gives_up_starting(service: Service) -> None:
    service.change("[Service]\nRestartSec=10ms\n")
    service.configure("nothing of use")
    service.machine.run("systemctl", "start", "evidenced", check=False)
    # more often than DefaultStartLimitBurst=5 would allow
    service.machine.until(
        lambda: int(service.show("NRestarts")) > 5,
        "six restarts",
        within=90,  # each is a start of the interpreter, on a machine that is busy
    )
    service.configure(CONFIG)
    service.until_active()


def test_a_good_configuration_is_put_in_force(running: Service) -> None:
    before, pid = running.machine.cursor(), running.main_pid()
    running.configure(OTHER_RULE)
    running.machine.run("systemctl", "reload", "evidenced")
    running.line(before, "configuration read and in force")
    running.publish("door/1")
    assert running.line(before, "incident opened")["EVIDENCED_RULE"] == "door"
    assert running.main_pid() == pid


def test_another_broker_login_is_put_in_force_without_a_new_process(
    running: Service,
) -> None:
    before, pid = running.machine.cursor(), running.main_pid()
    running.configure(CONFIG.replace("[mqtt]", '[mqtt]\nclient_id = "another"'))
    running.machine.run("systemctl", "reload", "evidenced")
    running.line(before, "alarms are subscribed")
    assert running.main_pid() == pid


def test_a_wrong_configuration_fails_the_reload_and_nothing_else(
    running: Service,
) -> None:
    before, pid = running.machine.cursor(), running.main_pid()
    running.configure(CONFIG.replace('"lobby"', '"looby"'))
    done = running.machine.run("systemctl", "reload", "evidenced", check=False)
    assert done.returncode != 0
    running.publish("panic/1")
    running.line(before, "incident opened")
    assert (running.show("ActiveState"), running.main_pid()) == ("active", pid)


def test_a_wrong_configuration_is_shown_in_the_status(running: Service) -> None:
    running.configure("nothing of use")
    running.signal("HUP")
    status = "nothing open; the configuration on disk is wrong"
    running.machine.until(lambda: running.show("StatusText") == status, status)
    assert running.show("ActiveState") == "active"


def test_the_watchdog_bites_what_is_stuck(service: Service) -> None:
    service.change("[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\nRestartSec=10ms\n")
    service.start()
    before = service.machine.cursor()
    service.signal("STOP")
    service.line(before, "alarms are subscribed")
    service.until_active()
    assert service.show("NRestarts") == "1"
    said = [str(line["MESSAGE"]) for line in service.machine.journal("_PID=1")]
    assert any("Watchdog timeout" in line for line in said)


def test_what_was_under_way_goes_on_after_a_kill(service: Service) -> None:
    service.change("[Service]\nRestartSec=10ms\n")
    service.start()
    before = service.machine.cursor()
    service.publish("panic/1")
    opened = service.line(before, "incident opened")["EVIDENCED_INCIDENT"]
    service.signal("KILL")
    done = service.line(before, "export exported")
    assert done["EVIDENCED_INCIDENT"] == opened
    service.until_active()
    assert service.show("NRestarts") == "1"
    assert "intact" in service.command("audit", "verify")


def test_a_stop_is_clean(running: Service) -> None:
    before = running.machine.cursor()
    running.machine.run("systemctl", "stop", "evidenced")
    running.line(before, "evidenced stopped")
    shown = running.machine.show(
        "evidenced.service", "Result", "ExecMainStatus", "ActiveState"
    )
    assert shown == {
        "Result": "success",
        "ExecMainStatus": "0",
        "ActiveState": "inactive",
    }


def test_another_one_on_the_same_state_is_refused(running: Service) -> None:
    said = running.command("run", check=False)
    assert "another evidenced is running on it" in said


def test_secrets_are_credentials_and_show_nowhere(running: Service) -> None:
    pid = running.main_pid()
    folder = "/run/credentials/evidenced.service"
    assert in_its_place(running, "cat", f"{folder}/sense-password") == "secret\n"
    assert in_its_place(running, "cat", "/etc/evidenced/credentials/x") == ""
    seen = running.machine.run("cat", f"/proc/{pid}/cmdline", f"/proc/{pid}/environ")
    assert "secret" not in seen.stdout
    assert not [
        line
        for line in running.machine.journal("_SYSTEMD_UNIT=evidenced.service")
        if "broker secret" in json.dumps(line)
    ]
    limits = running.machine.run("cat", f"/proc/{pid}/limits").stdout.splitlines()
    (core,) = [line.split() for line in limits if line.startswith("Max core")]
    assert core[4:6] == ["0", "0"]


def test_nothing_but_its_own_folders_can_be_written(running: Service) -> None:
    prune = [word for path in SYSTEM_FOLDERS for word in ("-path", path, "-o")]
    found = in_its_place(
        running,
        *("find", "/", "(", *prune[:-1], ")", "-prune", "-o"),
        *("-type", "d", "-writable", "-print"),
    )
    assert set(found.split()) == {
        *("/run/evidenced", "/var/lib/private/evidenced", "/tmp", "/var/tmp"),  # noqa: S108
    }


def test_it_has_no_rights_left(running: Service) -> None:
    text = running.machine.run("cat", f"/proc/{running.main_pid()}/status").stdout
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    assert status["CapEff"] == status["CapBnd"] == "0" * 16
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split()[0] != "0"
    assert in_its_place(running, "ls", "/root", "/home") == ""


def test_journal_lines_have_level_and_incident_as_fields(running: Service) -> None:
    before = running.machine.cursor()
    running.publish("panic/1")
    line = running.line(before, "incident opened")
    assert line["PRIORITY"] == "6"
    assert line["SYSLOG_IDENTIFIER"] == "evidenced"
    assert line["_SYSTEMD_UNIT"] == "evidenced.service"
    assert json.loads(line["MESSAGE"])["incident"] == line["EVIDENCED_INCIDENT"]
    running.machine.run("systemctl", "stop", "recorder")
    down = running.line(before, "recorder does not answer; incidents wait")
    assert (down["PRIORITY"], down["EVIDENCED_RECORDER"]) == ("4", "main")


def test_a_backup_is_taken_from_the_running_and_given_to_the_stopped(
    running: Service,
) -> None:
    before = running.machine.cursor()
    running.publish("panic/1")
    running.line(before, "incident opened")
    backup = f"/var/backups/{before[-8:]}"
    assert "audit chain intact" in running.command("backup", backup)
    assert "another evidenced is running" in running.command(
        "restore", backup, check=False
    )
    running.machine.run("systemctl", "stop", "evidenced")
    # as after a loss: the folder is made by root, and by the start given to its user
    running.machine.run("rm", "-rf", STATE)
    running.machine.run("mkdir", "-m", "700", STATE)
    assert "restored" in running.command("restore", backup)
    running.start()
    assert '"rule": "panic"' in running.command("incidents", "list", "--json")


def test_a_full_disk_is_waited_for(service: Service) -> None:
    service.change("[Service]\nWatchdogSec=4\n")
    mount = f"/bin/mount -t tmpfs -o size=4m,mode=0700 none {STATE}"
    service.machine.run("mkdir", "-p", STATE)
    service.machine.run(*mount.split())
    try:
        service.start()
        before, pid = service.machine.cursor(), service.main_pid()
        fill = f"cat /dev/zero >{STATE}/ballast"
        service.machine.run("sh", "-c", fill, check=False)
        service.publish("panic/1")
        service.line(before, "the store does not work; alarms wait at the broker")
        service.machine.until(lambda: "full" in service.show("StatusText"), "status")
        service.machine.run("rm", f"{STATE}/ballast")
        service.line(before, "incident opened")
        service.line(before, "export exported")
        assert service.main_pid() == pid
    finally:
        service.machine.run("systemctl", "stop", "evidenced")
        service.machine.run("umount", STATE)
