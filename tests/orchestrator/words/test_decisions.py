"""Questions, answers and resumptions in words, with the buttons that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from notifiers.base import Button, Notice
from orchestrator.events import events as e
from orchestrator.graph import Graph
from orchestrator.presses.press import is_current, read_press
from orchestrator.state.projection import apply_all
from orchestrator.state.state import RunState, State
from orchestrator.words.announce import notices
from orchestrator.words.outside import Outside, log_tail
from tests.orchestrator.words.samples import RUN, failing, folds, once, reports_of, said
from tests.orchestrator.worlds import World, kfold

ALLOWED = {"channel": "C0123456789", "allow": ["U0000001"], "timezone": "Europe/Berlin"}


def asking(world: World, **more: Any) -> e.VerdictGiven:
    now_ms = world.clock.now_ms()
    asked = e.VerdictGiven(
        at_ms=now_ms, run=RUN, rule="curve", action="ask", scope="attempt", target="train.fold0",
        reason="below", sentence="0.61 after 2 epochs; others had 0.87", until_ms=now_ms + 600_000,
    )  # fmt: skip
    return replace(asked, **more)


def state_in_fold_0(world: World, graph: Graph) -> State:
    """The state after the first epoch of the first fold."""
    world.submit(graph, run=RUN)
    return world.until(
        lambda state: RUN in state.runs and reports_of(state.runs[RUN], "train.fold0") == 1
    )


def on_slack(resumes: bool = True, **settings: Any) -> Graph:
    graph = kfold()
    jobs = tuple(replace(job, resumes=resumes and bool(job.devices)) for job in graph.jobs)
    return replace(graph, jobs=jobs, notify={"slack": {**ALLOWED, **settings}})


def told(state: State, *events: e.Event) -> tuple[list[Notice], State]:
    """What the events add to the words of a state that they lead on from."""
    after = apply_all(state, events)
    return [notice for _, notice in notices(events, after)], after


def labels(buttons: Sequence[Button]) -> list[str]:
    return [button.label for button in buttons]


def world_with_folds(tmp_path: Path) -> World:
    return World(tmp_path, folds(*[[0.5] * 9] * 3))


def test_a_question_states_the_default_when_it_comes_to_pass_and_what_each_button_costs(
    tmp_path: Path,
) -> None:
    world = world_with_folds(tmp_path)
    state = state_in_fold_0(world, on_slack())
    found, after = told(state, asking(world))
    head, question = found
    assert (question.topic, question.about) == ("alert", "decision")
    assert said([question]) == [
        "alert: stop fold 0 (1 of 3)? 0.61 after 2 epochs; others had 0.87"
        " · if nobody answers by 01:11 CET, it is stopped"
        " · rule curve · frees up to 0.49 h of reserve"
        " · answer with `skint answer seedlings-1 --stop` or `… --let-run`"
    ]
    assert labels(question.buttons) == ["Stop now", "Let it run"]
    assert question.buttons[0].confirm == (
        "1 min 00 s spent (simulated); up to 0.49 h would come back. The checkpoint is kept."
    )
    presses = [read_press(button.value) for button in question.buttons]
    assert [(press.do, press.target, press.rule) for press in presses] == [
        ("stop", "train.fold0", "curve"),
        ("let-run", "train.fold0", "curve"),
    ]
    assert all(is_current(press, after.runs[RUN]) for press in presses)
    assert head.topic == "head"


def test_of_several_questions_the_answer_names_which(tmp_path: Path) -> None:
    world = world_with_folds(tmp_path)
    _, state = told(state_in_fold_0(world, on_slack()), asking(world))
    found, _ = told(state, asking(world, rule="plateau"))
    assert found[-1].typed == (
        "answer with `skint answer seedlings-1 --rule plateau --about train.fold0 --stop`"
        " or `… --let-run`",
    )


def test_a_default_of_going_on_and_a_wish_to_park_are_said(tmp_path: Path) -> None:
    world = world_with_folds(tmp_path)
    state = state_in_fold_0(world, on_slack())
    lines = [
        told(state, asking(world, **more))[0][-1].lines[0]
        for more in ({"default": "let-run"}, {"would": "park"}, {"until_ms": None})
    ]
    assert lines == [
        "if nobody answers by 01:11 CET, it goes on",
        "if nobody answers by 01:11 CET, it is parked",
        "until somebody answers it is stopped",
    ]


def test_an_answer_is_said_in_the_thread_and_in_the_question_which_loses_its_buttons(
    tmp_path: Path,
) -> None:
    world = world_with_folds(tmp_path)
    state = state_in_fold_0(world, on_slack())
    asked = asking(world)
    (_, question), state = told(state, asked)
    answer = e.VerdictAnswered(
        at_ms=asked.at_ms + 60_000, run=RUN, rule="curve", target="train.fold0", answer="let-run",
        given_ms=asked.at_ms, by="slack:U0000001",
    )  # fmt: skip
    (head, reply, edit), _ = told(state, answer)
    assert reply.title == "fold 0 (1 of 3) goes on, said slack:U0000001 01:02 CET"
    assert edit.edits == question.key
    assert edit.title == question.title
    assert edit.lines == ("rule curve", f"answered: {reply.title}")
    assert (reply.buttons, edit.buttons) == ((), ())
    assert "fold 0 goes on, said slack:U0000001 01:02 CET" in head.lines


def test_a_time_out_says_that_nobody_answered(tmp_path: Path) -> None:
    world = world_with_folds(tmp_path)
    state = state_in_fold_0(world, on_slack())
    asked = asking(world)
    _, state = told(state, asked)
    answer = e.VerdictAnswered(
        at_ms=asked.at_ms + 600_000, run=RUN, rule="curve", target="train.fold0", answer="stop",
        given_ms=asked.at_ms, by="time-out",
    )  # fmt: skip
    (_, reply, _), _ = told(state, answer)
    assert reply.title == "fold 0 (1 of 3) is stopped: nobody answered by 01:11 CET"


def test_the_head_of_a_run_offers_what_can_be_done_to_it_now(tmp_path: Path) -> None:
    world = world_with_folds(tmp_path)
    heads: list[Notice] = []
    ends: list[Notice] = []

    def on_events(events: Iterable[e.Event], state: State) -> None:
        found = [notice for _, notice in notices([*events], state)]
        heads.extend(notice for notice in found if notice.topic == "head")
        ends.extend(notice for notice in found if notice.about == "end")
        meanwhile(state.runs[RUN])

    def abort() -> None:
        world.stop(scope="attempt", target="train.fold0", by="slack:U0000001", reason="aborted")

    def cancel() -> None:
        world.stop(by="slack:U0000002", reason="cancelled")

    first = once(abort, lambda run: reports_of(run, "train.fold0") == 1)
    second = once(cancel, lambda run: reports_of(run, "train.fold1") == 1)

    def meanwhile(run: RunState) -> None:
        first(run)
        second(run)

    world.scheduler.on_events = on_events
    world.submit(on_slack(), run=RUN)
    world.until_settled(RUN)
    offered = [tuple(labels(head.buttons)) for head in heads]
    assert list(dict.fromkeys(offered)) == [
        ("Abort run",),
        ("Abort fold 0", "Abort run"),
        ("Abort fold 1", "Abort run"),
        (),
        ("Resume",),
    ]
    assert heads[-1].final
    assert "the run cancelled by slack:U0000002 01:04 CET, checkpoint kept" in heads[-1].lines
    assert ends[0].lines[0] == "cancelled by slack:U0000002"
    between = next(head for head in heads if labels(head.buttons)[:1] == ["Abort fold 1"])
    assert "fold 0 aborted by slack:U0000001 01:02 CET, checkpoint kept" in between.lines
    (resume,) = heads[-1].buttons
    assert is_current(read_press(resume.value), world.scheduler.state.runs[RUN])
    assert resume.confirm.startswith("What was stopped goes on from its checkpoints.")


def test_what_keeps_no_checkpoints_is_not_said_to_and_is_offered_no_way_back(
    tmp_path: Path,
) -> None:
    world = world_with_folds(tmp_path)
    found: list[Notice] = []
    in_fold_0 = once(world.stop, lambda run: reports_of(run, "train.fold0") == 1)

    def on_events(events: Iterable[e.Event], state: State) -> None:
        found.extend(notice for _, notice in notices([*events], state))
        in_fold_0(state.runs[RUN])

    world.scheduler.on_events = on_events
    world.submit(on_slack(resumes=False), run=RUN)
    world.until_settled(RUN)
    assert "checkpoint" not in "".join(notice.to_json() for notice in found)
    assert labels(found[-1].buttons) == []
    assert not any("skint resume" in line for notice in found for line in notice.typed)


def test_a_run_that_is_done_has_nothing_to_press(tmp_path: Path) -> None:
    world = World(tmp_path, folds(*[[0.5]] * 3))
    world.submit(on_slack(), run=RUN)
    world.until_settled(RUN)
    events = [event for _, event in world.store.events()]
    found = [notice for _, notice in notices(events, world.scheduler.state)]
    assert [(notice.topic, notice.buttons) for notice in found if notice.about == "end"] == [
        ("alert", ())
    ]
    assert [notice.buttons for notice in found if notice.topic == "head"] == [()]


def test_a_resumption_says_who_and_how_many(tmp_path: Path) -> None:
    world = world_with_folds(tmp_path)
    in_fold_0 = once(world.stop, lambda run: reports_of(run, "train.fold0") == 1)
    world.scheduler.on_events = lambda events, state: in_fold_0(state.runs[RUN])
    world.submit(on_slack(), run=RUN)
    world.until_settled(RUN)
    state = world.scheduler.state
    back = e.JobsResumed(
        at_ms=world.clock.now_ms(), run=RUN, scope="run", target=RUN,
        jobs=("train.fold0", "train.fold1"), by="slack:U0000001",
    )  # fmt: skip
    (head, reply), _ = told(state, back)
    assert reply.title.startswith("the run resumed by slack:U0000001 01:0")
    assert reply.lines == ("2 jobs wait again; what had begun goes on from its checkpoint",)
    assert labels(head.buttons) == ["Abort run"]


def test_a_failure_is_told_with_the_last_lines_of_its_log_without_secrets(tmp_path: Path) -> None:
    world = World(tmp_path, failing(0, {"what": "it broke"}))
    found: list[Notice] = []

    def tail(path: str) -> str:
        home = "/" + "home/ana"  # so that no text names a place on somebody's machine
        return f"{Path(path).parent.parent.name}\nusing hf_{'a1' * 12} of {home}/x"

    def on_events(events: Iterable[e.Event], state: State) -> None:
        outside = Outside(log_tail=tail)
        found.extend(notice for _, notice in notices([*events], state, outside=outside))

    world.scheduler.on_events = on_events
    world.submit(kfold(), run=RUN)
    world.until_settled(RUN)
    (failed,) = [notice for notice in found if "failed: it broke" in notice.title]
    assert failed.about == "trouble"
    assert failed.lines[-1] == "its last lines:"
    assert failed.quoted == ("train.fold0", "using [hidden] of ~/x")


def test_the_tail_of_a_log_is_whole_lines_as_they_were_seen_last(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert log_tail(str(log)) == ""
    log.write_bytes(b"x" * 5000 + b"\nepoch 1\r 10%\r 99%\n\nValueError: \xff no\r\n")
    assert log_tail(str(log)) == " 99%\nValueError: \N{REPLACEMENT CHARACTER} no"
    log.write_text("\n".join(str(n) for n in range(100)))
    assert log_tail(str(log)).splitlines() == [str(n) for n in range(75, 100)]
