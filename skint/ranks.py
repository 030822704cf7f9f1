"""Which of the processes of one training this is.

Data-parallel training is a process for each device; the environment of each says its number, from
0, as Lightning and torchrun have it. The first one speaks for all: what the others report, note or
write of their progress is left out, their errors are not.
"""

from __future__ import annotations

import os
from typing import Any

RANK = "LOCAL_RANK"
"""Environment variable with the number; not there where one process trains alone."""


def own_rank() -> int:
    """The number of this process, 0 where it trains alone."""
    return int(os.environ.get(RANK) or 0)


def everyones(mine: Any) -> list[Any]:
    """`mine` of every process of the training, by their number; all of them have to call it."""
    import torch  # not with the module: every worker imports it

    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [mine]
    all_of_them: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(all_of_them, mine)
    return all_of_them
