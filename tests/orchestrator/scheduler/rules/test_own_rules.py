"""Stop rules of a user's own: in a process of its own, whose failure stops nothing."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.graph import StopRule
from orchestrator.scheduler.inputs import AskRule, RuleSaid
from orchestrator.scheduler.rules.rule_processes import RuleProcesses
from orchestrator.state.questions import RULE_FAILED
from orchestrator.state.state import RunState
from tests.orchestrator.worlds import World, epochs, kfold, statuses, training

RULES = """
import os
import sys
import time

calls = 0


def low(group, least=0.5):
    print("a word that is no answer")
    best = group["now"]["best"]
    if best is not None and best < least:
        return f"{group['now']['job']} came to {best} of {group['metric']}, wanted {least}"


def bare(group):
    ours = [name for name in sys.modules if name.partition(".")[0] in ("orchestrator", "budget")]
    secrets = [name for name in os.environ if "TOKEN" in name or "KEY" in name]
    return f"imported {ours}, knows {secrets}, mask {os.environ['CUDA_VISIBLE_DEVICES']!r}"


def warns(group):
    return {"action": "warn", "sentence": "look at it"}


def falls(group):
    raise RuntimeError("no such thing")


def sleeps(group):
    time.sleep(60)


def nonsense(group):
    return 7


def leaves(group):
    os._exit(3)
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "rules.py").write_text(RULES)
    return tmp_path


def said(base: Path, name: str, answer_s: float = 30.0, **options: Any) -> RuleSaid:
    """The answer of one rule about a fold that came to 0.4."""
    group = {"now": {"job": "train.fold0", "best": 0.4}, "metric": "val_acc"}
    given = json.dumps({"group": group, "options": options})
    environ = {**os.environ, "SLACK_BOT_TOKEN": "xoxb-1", "LANGUAGE_MODEL_API_KEY": "sk-1"}
    rules = RuleProcesses(environ, answer_s=answer_s)
    rules.ask(AskRule("a-1", "train.fold0", f"./rules.py:{name}", str(base), "", given))
    while not (answers := rules.answers()):
        time.sleep(0.02)
    rules.close()
    (answer,) = answers
    return answer


def test_a_sentence_stops_the_group_and_nothing_goes_on(base: Path) -> None:
    answer = said(base, "low")
    assert (answer.action, answer.scope, answer.error) == ("stop", "group", "")
    assert answer.sentence == "train.fold0 came to 0.4 of val_acc, wanted 0.5"
    assert said(base, "low", least=0.3).action == "go-on"
    assert said(base, "warns").action == "warn"


def test_it_imports_only_skint_sees_no_accelerator_and_knows_no_token(base: Path) -> None:
    assert said(base, "bare").sentence == "imported [], knows [], mask ''"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("falls", ["rules.py:", "RuntimeError: no such thing"]),
        ("nonsense", ["gave back what means nothing", "7"]),
        ("leaves", ["ended with code 3 without answer"]),
        ("gone", ["has no function gone"]),
    ],
)
def test_a_rule_that_fails_says_why(base: Path, name: str, words: list[str]) -> None:
    answer = said(base, name)
    assert answer.action == "go-on"
    assert [word for word in words if word not in answer.error] == []


def test_a_rule_that_does_not_answer_is_ended(base: Path) -> None:
    assert said(base, "sleeps", answer_s=1.0).error == "it did not answer within 1 s"


# --- in a run -------------------------------------------------------------------------------------


class Patient(World):
    """Time stands still until rules have answered, which run in real processes."""

    def settle_with(self, rule: StopRule) -> RunState:
        self.submit(replace(kfold(stop=(rule,)), base=str(self.path)))
        asked = self.scheduler._rules

        def settled(state: Any) -> bool:
            while asked._running or asked._waiting:
                answers = asked.answers()
                if answers:
                    asked._failed.extend(answers)  # for the look that comes next
                time.sleep(0.02)
            return "seedlings-1" in state.runs and state.runs["seedlings-1"].settled

        return self.until(settled).runs["seedlings-1"]


def world(base: Path, values: list[float]) -> Patient:
    def script_of(task: Any) -> Any:
        return training(task) if task.fold is None else epochs(values)

    return Patient(base, script_of)


def rule(name: str, **options: Any) -> StopRule:
    return StopRule(f"./rules.py:{name}", options)


def test_what_it_says_stops_the_group_and_replays(base: Path) -> None:
    here = world(base, [0.1, 0.4])
    run = here.settle_with(rule("low", least=0.3))
    assert statuses(run)["train.fold1"] == "stopped"
    (verdict,) = run.verdicts
    assert verdict.reason == "own-rule"
    assert verdict.sentence == "train.fold0 came to 0.1 of val_acc, wanted 0.3"
    assert here.store.replayed() == here.store.state()


def test_its_failure_is_a_warning_that_is_given_once_and_stops_nothing(base: Path) -> None:
    run = world(base, [0.1, 0.4]).settle_with(rule("falls"))
    assert {statuses(run)[f"train.fold{n}"] for n in range(3)} == {"done"}
    (verdict,) = run.verdicts
    assert (verdict.action, verdict.reason) == ("warn", RULE_FAILED)
    assert "stops nothing: " in verdict.sentence
    assert "no such thing" in verdict.sentence


def test_a_scheduler_that_leaves_ends_what_judges_for_it(base: Path) -> None:
    here = world(base, [0.1, 0.4])
    here.submit(replace(kfold(stop=(rule("sleeps"),)), base=str(here.path)))
    asked = here.scheduler._rules
    here.until(lambda state: bool(asked._running))
    processes = [one.process for one in asked._running.values()]
    here.scheduler.close()
    assert [process.poll() for process in processes] == [-9] * len(processes)
