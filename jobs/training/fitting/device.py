"""Which device trains, and in which precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from skint.errors import SkintError

SIMULATED = "simulated"
"""What the names of devices begin with that stand for an accelerator on a machine without one."""


class DeviceError(SkintError):
    """The devices that the job was given are not there, or are more than it can use."""


@dataclass(frozen=True)
class Engine:
    """What Lightning is told about the hardware."""

    accelerator: str
    """`gpu` or `cpu`."""
    precision: str
    """Lightning's name for it."""
    note: str | None = None
    """A sentence for the person where it is not what they asked for."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if self.accelerator == "gpu" else "cpu")

    @property
    def autocast(self) -> torch.dtype | None:
        """The half precision that mixed precision computes in; None in full precision."""
        return {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}.get(self.precision)


def choose_engine(precision: str, devices: tuple[str, ...]) -> Engine:
    """The engine for a recipe's `precision` on the devices of the attempt.

    No device or a simulated one means the CPU. Raises DeviceError where a real device was given
    and torch does not see one.
    """
    if len(devices) > 1:
        raise DeviceError(
            "train uses one device", got=f"{len(devices)} devices", wanted="devices: 1"
        )
    real = bool(devices) and not devices[0].startswith(SIMULATED)
    if real and not torch.cuda.is_available():
        raise DeviceError(
            "torch does not see the accelerator that this job holds",
            got=f"torch {torch.__version__}, CUDA {torch.version.cuda or 'not built in'}",
            wanted=f"a build of torch for device {devices[0]}",
        )
    if real:
        half = "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
        chosen = {"auto": half, "32": "32-true"}.get(precision, precision)
        return Engine("gpu", chosen)
    if precision == "16-mixed":
        return Engine(
            "cpu",
            "bf16-mixed",
            "precision 16-mixed needs a real accelerator; this CPU computes in bf16-mixed instead",
        )
    return Engine("cpu", {"auto": "32-true", "32": "32-true"}.get(precision, precision))
