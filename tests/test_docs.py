"""The documents keep what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from budget.accounts.presets import PRESETS
from jobs import BUILTIN
from jobs.training.recipe.recipe import Recipe
from notifiers import catalog
from orchestrator.devices import DECLARED
from orchestrator.home import VARIABLE
from orchestrator.plans.describe import describe
from orchestrator.plans.params import check_params
from orchestrator.plans.plan import Plan, load_plan
from orchestrator.plans.spec import JobSpec, PlanSpec
from orchestrator.stop_rules import RULES
from skint import errors
from skint.context import Context

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", ".venv", "build", "dist", "__pycache__", ".skint-demo"}


def files(*suffixes: str) -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*")
        if path.suffix in suffixes
        and path.is_file()
        and not any(
            part in NOT_OURS or part.endswith((".egg-info", "_cache"))
            for part in path.relative_to(ROOT).parts
        )
    )


def prose(page: Path) -> str:
    """A page without its code, in which a bracket and a parenthesis are no link."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("page", files(".md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(\s*<?([^)\s>]+)", prose(page))
    targets = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    missing = [target for target in targets if target and not (page.parent / target).exists()]
    assert missing == []


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page may say after the `#`, as GitHub makes it."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", files(".md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s:#]*)#([^)\s]+)\)", prose(page))
    missing = [
        (target, head)
        for target, head in links
        if head not in anchors(page.parent / target if target else page)
    ]
    assert missing == []


def guide(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def rows(page: str, heading: str = "") -> set[str]:
    """What stands in the first cells of the tables of a page, or of one part of it."""
    part = re.split(rf"^## {re.escape(heading)}$", page, flags=re.M)[1] if heading else page
    if heading:
        part = re.split(r"^## ", part, flags=re.M)[0]
    cells = re.findall(r"^\|([^|]+)\|", part, flags=re.M)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def plans() -> Iterator[tuple[str, str]]:
    """Every whole plan in the README and the guide, by page and number."""
    for page in files(".md"):
        blocks = re.findall(r"^( *)```yaml\n(.*?)^\1```", page.read_text("utf-8"), re.S | re.M)
        for number, (_, block) in enumerate(blocks, start=1):
            if re.search(r"^ *jobs:", block, re.M):
                yield f"{page.relative_to(ROOT)}:{number}", textwrap.dedent(block)


PLANS = dict(plans())


def load(text: str, folder: Path) -> Plan:
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    return load_plan(folder / "plan.yaml")


def test_the_readme_and_the_guide_have_plans() -> None:
    pages = {place.partition(":")[0] for place in PLANS}
    assert pages >= {"README.md", "docs/plan.md", "docs/jobs.md", "docs/training.md"}


@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS.keys())
def test_every_plan_in_the_documents_can_be_read(text: str, tmp_path: Path) -> None:
    plan = load(text, tmp_path)
    assert plan.spec.jobs


@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS.keys())
def test_every_parameter_of_a_plan_in_the_documents_exists(text: str, tmp_path: Path) -> None:
    plan = load(text, tmp_path)
    for name, job in plan.spec.jobs.items():
        if job.uses not in BUILTIN:
            continue
        kind = describe(job.uses, tmp_path)
        for folder in (job.with_[key] for key in kind.paths if key in job.with_):
            (tmp_path / str(folder)).mkdir(parents=True, exist_ok=True)
        _, complaints = check_params(kind, job.with_, tmp_path)
        assert complaints == [], name


def test_the_guide_has_every_key_of_a_plan_and_no_other() -> None:
    def keys(spec: type[PlanSpec] | type[JobSpec]) -> set[str]:
        return {info.alias or name for name, info in spec.model_fields.items()}

    assert rows(guide("plan"), "Keys of the plan") == keys(PlanSpec)
    assert rows(guide("plan"), "Keys of an entry") == keys(JobSpec)


def test_the_guide_has_every_built_in_job_and_no_other() -> None:
    assert rows(guide("jobs"), "Built-in jobs") == set(BUILTIN)


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_the_guide_has_every_parameter_of_a_built_in_job(name: str, tmp_path: Path) -> None:
    model = describe(name, tmp_path).model
    assert model is not None
    if name == "train":
        assert rows(guide("training").partition("\n## ")[0]) == set(model.model_fields)
    else:
        (row,) = re.findall(rf"^\| `{name}` \|([^|]+)\|", guide("jobs"), flags=re.M)
        recipe = set(Recipe.model_fields) if "the recipe of `train`" in row else set()
        fields = [field for field in model.model_fields if field not in recipe]
        assert [field for field in fields if f"`{field}`" not in row] == []


def test_the_guide_has_every_public_member_of_the_context() -> None:
    said = " ".join(rows(guide("jobs"), "A job of your own"))
    members = {name for name in vars(Context) if not name.startswith("_")} - {"for_test"}
    assert {name for name in members if f"ctx.{name}" not in said} == set()
    assert "Context.for_test" in guide("jobs")


def test_the_guide_has_every_notifier_preset_stop_rule_variable_and_exit_code() -> None:
    assert rows(guide("notifiers")) >= set(catalog.BUILT_IN)
    assert rows(guide("budget")) >= set(PRESETS)
    assert rows(guide("stopping"), "The rules") == set(RULES)
    assert f"`{VARIABLE}`" in guide("running")
    assert f"`{DECLARED}`" in guide("running")
    codes = re.findall(r"^\| (\d+) \|", guide("running"), flags=re.M)
    known = (errors.OK, errors.FAILED, errors.USAGE, errors.NOT_FOUND, errors.CREDENTIALS)
    more = (errors.OVER_BUDGET, errors.RUN_FAILED, errors.UNREACHABLE, errors.INTERRUPTED, 141)
    assert list(map(int, codes)) == [*known, *more]


def test_every_command_is_in_the_documents() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from orchestrator.cli import main; main()", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = re.findall(r"^ {2,4}([a-z]+)(?: {2,}|$)", done.stdout, flags=re.M)
    documents = "\n".join(
        page.read_text(encoding="utf-8") for page in files(".md") if page.name != "CHANGELOG.md"
    )
    assert {"plan", "run", "submit", "status", "budget", "cancel"} <= set(commands)
    assert [name for name in commands if not re.search(rf"skint {name}\b", documents)] == []


def test_no_text_names_a_place_on_somebodys_machine() -> None:
    places = re.compile(r"(?<![\w.])/(work/|root/|home/\w|Users/\w)")
    texts = files(".py", ".md", ".toml", ".yaml", ".yml", ".j2", ".txt", ".json", ".csv", ".svg")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in texts
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if places.search(line)
    ]
    assert texts
    assert found == []
