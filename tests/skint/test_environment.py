"""What a worker is told by its environment."""

from __future__ import annotations

import sys
from pathlib import Path

from skint.attempt import AttemptDir, Task
from skint.environment import THREADS, worker_environment

DIRECTORY = AttemptDir(Path("/attempts/a.1"))


def made(inherited: dict[str, str], **fields: object) -> dict[str, str]:
    task = Task("a.1", 1, "run", "job", **fields)  # type: ignore[arg-type]
    return worker_environment(DIRECTORY, task, inherited)


def test_the_cpu_lane_sees_no_accelerator() -> None:
    """Edge 36: a CPU job on a machine with accelerators."""
    found = made({"CUDA_VISIBLE_DEVICES": "0", "HOME": "/somewhere"})
    assert found["CUDA_VISIBLE_DEVICES"] == ""
    assert found["HIP_VISIBLE_DEVICES"] == found["ROCR_VISIBLE_DEVICES"] == "-1"
    assert found["HOME"] == "/somewhere"
    assert (found["SKINT_ATTEMPT_DIR"], found["SKINT_ATTEMPT"]) == ("/attempts/a.1", "a.1")


def test_a_simulated_device_does_not_show_a_real_one() -> None:
    assert made({}, devices=("simulated-0",))["CUDA_VISIBLE_DEVICES"] == ""


def test_an_accelerator_job_sees_its_own_devices() -> None:
    found = made({"CUDA_VISIBLE_DEVICES": ""}, devices=("GPU-1", "GPU-2"))
    assert found["CUDA_VISIBLE_DEVICES"] == "GPU-1,GPU-2"
    assert "HIP_VISIBLE_DEVICES" not in found


def test_the_mask_of_an_engine_is_kept() -> None:
    assert made({"CUDA_VISIBLE_DEVICES": "3"}, devices=("GPU-1",))["CUDA_VISIBLE_DEVICES"] == "3"


def test_an_attempt_is_not_one_of_the_processes_of_whoever_started_it() -> None:
    assert "LOCAL_RANK" not in made({"LOCAL_RANK": "1"})


def test_further_processes_of_a_worker_do_not_import_from_the_plans_folder_first() -> None:
    assert made({}, device_count=2)["PYTHONSAFEPATH"] == "1"
    assert "PYTHONSAFEPATH" not in made({}, device_count=1)
    # A script of a program's own stands beside what it imports.
    assert "PYTHONSAFEPATH" not in made({}, device_count=2, argv=("python", "train.py"))


def test_threads_are_as_many_as_cores() -> None:
    assert {made({"OMP_NUM_THREADS": "64"}, cpus=2)[name] for name in THREADS} == {"2"}
    assert all(int(made({}, cpus=0)[name]) >= 1 for name in THREADS)


def test_a_program_finds_the_python_of_its_environment_first() -> None:
    own = str(Path(sys.executable).parent)
    assert made({"PATH": "/bin"}, argv=("python", "a.py"))["PATH"] == f"{own}:/bin"
    other = made({"PATH": "/bin"}, argv=("python", "a.py"), python="/env/bin/python")
    assert other["PATH"] == "/env/bin:/bin"
    assert made({"PATH": "/bin"}, uses="resize")["PATH"] == "/bin"
