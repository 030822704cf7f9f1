"""The shim with real processes: nobody is left, whatever the job did."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

from skint.attempt import EXIT_STOPPED, StopRequest
from skint.process import identity, is_alive, survivors

# The fixtures' types; tests are no package, so they are looked up by pytest, not imported.
Make = Callable[..., Any]

STEP = StopRequest("step", "end", "cancelled")

IGNORES_TERM = """
import os, signal, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
out = Path(os.environ["SKINT_ATTEMPT_DIR"], "out")
def say(name):
    out.joinpath(name).write_text(f"{os.getpid()}\\n")
if os.fork() == 0:
    say("child")                       # inherits the ignored TERM
    time.sleep(600)
if os.fork() == 0:
    os.setsid()                        # another session
    say("session")
    time.sleep(600)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:                 # a daemon: its parent is gone
        say("daemon")
        time.sleep(600)
    os._exit(0)
say("main")
"""
FAMILY = ("main", "child", "session", "daemon")


def test_a_stop_kills_children_that_ignore_term_other_sessions_and_daemons(
    attempt: Make, python: str
) -> None:
    one = attempt(argv=(python, "-c", IGNORES_TERM + "time.sleep(600)"), grace_s=0.3)
    one.start()
    family = [identity(one.wait_for_pid(name)) for name in FAMILY]
    assert None not in family
    one.directory.request_stop(STEP)
    end = one.end()
    assert (end.code, end.reason) == (137, "killed")
    assert not [member for member in family if member and is_alive(member)]
    assert survivors(one.task.attempt, one.directory.path) == ()


def test_daemons_are_ended_after_a_job_that_ends_by_itself(attempt: Make, python: str) -> None:
    wait = """
while not all(out.joinpath(name).exists() for name in ("child", "session", "daemon")):
    time.sleep(0.01)
"""
    one = attempt(argv=(python, "-c", IGNORES_TERM + wait))
    assert one.run().reason == "done"
    assert survivors(one.task.attempt, one.directory.path) == ()


def test_a_program_that_obeys_term_has_stopped(attempt: Make) -> None:
    one = attempt(argv=("sh", "-c", "echo 1 > $SKINT_ATTEMPT_DIR/out/up; exec sleep 600"))
    one.start()
    one.wait_for("up")
    one.directory.request_stop(STEP)
    end = one.end()
    assert (end.code, end.reason, end.digest) == (143, "stopped", "")


def test_a_program_that_sees_the_stop_file_and_leaves_at_once_has_stopped(attempt: Make) -> None:
    one = attempt(argv=("sh", "-c", f"exit {EXIT_STOPPED}"))
    one.directory.request_stop(StopRequest("epoch", "requeue", "paused"))
    assert one.run().reason == "stopped"


def test_what_a_stopped_shell_started_may_still_save(attempt: Make, python: str) -> None:
    saves = """
import os, pathlib, signal, sys, time
out = pathlib.Path(os.environ["SKINT_ATTEMPT_DIR"], "out")
def save(*_):
    time.sleep(0.3)
    out.joinpath("saved").write_text("whole")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
out.joinpath("up").touch()
time.sleep(600)
"""
    one = attempt(argv=("sh", "-c", f"{python} -c '{saves}'; true"))
    one.start()
    one.wait_for("up")
    one.directory.request_stop(STEP)
    assert one.end().reason == "stopped"
    assert (one.directory.out / "saved").read_text() == "whole"


def test_a_request_to_kill_does_not_wait_for_the_grace(attempt: Make) -> None:
    one = attempt(argv=("sleep", "600"), grace_s=10_000.0)
    one.start()
    one.directory.request_stop(StopRequest("kill", "end", "aborted"))
    end = one.end()
    assert (end.code, end.reason) == (137, "killed")


def test_at_the_limit_the_job_is_asked_to_park(attempt: Make) -> None:
    one = attempt(argv=("sleep", "600"), limit_s=0.2)
    end = one.run()
    assert (end.code, end.reason) == (143, "deadline")
    assert one.directory.read_stop() == StopRequest(
        "step", "requeue", "deadline", "its time limit was reached"
    )
    assert end.ended_ms - end.started_ms >= 200


def test_at_the_deadline_a_job_that_does_not_listen_is_killed(attempt: Make, python: str) -> None:
    one = attempt(argv=(python, "-c", IGNORES_TERM + "time.sleep(600)"), limit_s=0.1, grace_s=0.2)
    end = one.run()
    assert end.reason == "deadline"
    assert survivors(one.task.attempt, one.directory.path) == ()


def test_the_deadline_does_not_requeue_what_was_to_end(attempt: Make) -> None:
    one = attempt(argv=("sleep", "600"), limit_s=0.3)
    one.directory.request_stop(StopRequest("epoch", "end", "broken", "val_loss is nan"))
    assert one.run().reason == "deadline"
    assert one.directory.read_stop() == StopRequest("step", "end", "broken", "val_loss is nan")


def test_term_to_the_shim_parks_the_job(attempt: Make) -> None:
    one = attempt(argv=("sleep", "600"))
    shim = one.start()
    one.wait_until(lambda: one.events("started"))
    shim.send_signal(signal.SIGTERM)
    assert one.end().reason == "stopped"
    request = one.directory.read_stop()
    assert (request.how, request.then, request.reason) == ("step", "requeue", "terminated")


def test_a_stop_file_that_cannot_be_read_stops_too(attempt: Make) -> None:
    one = attempt(argv=("sleep", "600"))
    one.directory.stop.write_text("{")
    assert one.run().reason == "stopped"


def test_a_killed_shim_takes_its_worker_along_and_the_rest_is_found(
    attempt: Make, python: str
) -> None:
    one = attempt(argv=(python, "-c", IGNORES_TERM + "time.sleep(600)"))
    shim = one.start()
    main = identity(one.wait_for_pid("main"))
    rest = {one.wait_for_pid(name) for name in FAMILY[1:]}
    shim.kill()
    shim.wait()
    assert main is not None
    one.wait_until(lambda: not is_alive(main))  # the kernel does it, in its own time
    assert set(survivors(one.task.attempt, one.directory.path)) == rest
    assert one.directory.read_exit() is None


def test_a_second_shim_runs_nothing(attempt: Make) -> None:
    one = attempt(argv=("sh", "-c", "echo once >> $SKINT_ATTEMPT_DIR/out/ran"))
    first = one.run()
    assert one.run() == first
    assert (one.directory.out / "ran").read_text() == "once\n"
    assert len(one.events("started")) == 1


def test_the_handle_is_the_identity_of_the_shim(attempt: Make) -> None:
    one = attempt(argv=("sleep", "600"))
    shim = one.start()
    one.wait_until(lambda: one.events("started"))
    me = identity(shim.pid)
    assert me and json.loads(one.directory.handle.read_text()) == {
        "pid": me.pid,
        "start_ticks": me.start_ticks,
        "boot_id": me.boot_id,
    }


def test_failures_without_a_word_are_explained(attempt: Make) -> None:
    def error(*argv: str) -> dict[str, Any]:
        one = attempt(argv=argv)
        assert one.run().reason == "failed"
        (event,) = one.events("error")
        keys = ("attempt", "fence", "seq", "at", "kind")
        return {key: value for key, value in event.items() if value and key not in keys}

    assert error("no-such-program") == {
        "what": "no-such-program cannot be started",
        "where": attempt().task.cwd,
        "got": "[Errno 2] No such file or directory: 'no-such-program'",
    }
    assert error("sh", "-c", "echo out of luck; exit 3") == {
        "what": "the program ended with code 3",
        "got": "out of luck",
    }
    assert error("sh", "-c", "kill -9 $$") == {
        "what": "the program was ended by SIGKILL",
        "next": "look whether the machine ran out of memory",
    }


def test_the_result_is_hashed_without_local_and_without_following_links(attempt: Make) -> None:
    make = """
cd $SKINT_ATTEMPT_DIR/out
mkdir -p sub local; echo a > a; echo b > sub/b; echo $$ > local/pid; ln -s /etc/hostname link
"""
    first, second = (attempt(argv=("sh", "-c", make)).run() for _ in range(2))
    assert list(first.outputs) == ["a", "link", "sub/b"]
    sha = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"
    assert first.outputs["a"] == sha  # printf 'a\n' | sha256sum
    assert first.digest == second.digest
    changed = attempt(argv=("sh", "-c", make + "echo c > sub/b")).run()
    assert changed.digest != first.digest
