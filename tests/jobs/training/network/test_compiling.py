from __future__ import annotations

import copy
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

from jobs.training.network import compiling  # noqa: E402
from jobs.training.network.compiling import (  # noqa: E402
    CompileError,
    compile_in_place,
    what_is_missing,
)
from tests.jobs.training.small_net import Net  # noqa: E402


def test_a_compiled_network_keeps_its_names_and_its_copies_are_plain() -> None:
    network = Net(3, 3).eval()
    names = list(network.state_dict())
    images = torch.randn(4, 3, 16, 16)
    wanted = network(images)
    compile_in_place(network, "cpu", backend="eager")
    assert network._compiled_call_impl is not None
    assert torch.allclose(network(images), wanted, atol=1e-6)
    assert list(network.state_dict()) == names
    copied = copy.deepcopy(network)
    assert getattr(copied, "_compiled_call_impl", None) is None
    assert torch.equal(copied(images), wanted)


def test_a_network_is_really_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (missing := what_is_missing("cpu")) is not None:
        pytest.skip(f"no {missing}")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh()).eval()
    from torch._inductor import config

    # Trying out each of the processor's vector units would take longer than all else here.
    quick = {"cpp.vec_isa_ok": False, "compile_threads": 1}
    with config.patch(quick), torch.no_grad():
        wanted = network(torch.ones(2, 4))
        compile_in_place(network, "cpu")
        assert torch.allclose(network(torch.ones(2, 4)), wanted, atol=1e-6)
    assert any(tmp_path.rglob("*.so"))


def test_without_a_compiler_it_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompileError, match="cannot work here") as caught:
        compile_in_place(Net(3, 3), "cpu")
    assert "no C++ compiler" in str(caught.value)


def test_what_else_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "COMPILERS", ("true",))  # a program that is there
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert "header files of Python" in (what_is_missing("cpu") or "")
    (tmp_path / "Python.h").touch()
    assert what_is_missing("cpu") is None
    monkeypatch.setattr(compiling, "find_spec", lambda name: None)
    assert what_is_missing("cuda") == "package triton"
