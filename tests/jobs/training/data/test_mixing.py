from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from jobs.training.data.mixing import Mixing, MixingError, refuse_unmixable
from jobs.training.recipe.recipe import Recipe

pytestmark = pytest.mark.torch

HEIGHT, WIDTH = 6, 10


def pictures(count: int = 8) -> torch.Tensor:
    """Each of one number all over: 0, 1, 2 and so on."""
    numbers = torch.arange(count, dtype=torch.float32).reshape(-1, 1, 1, 1)
    return numbers.expand(count, 3, HEIGHT, WIDTH).clone()


def test_mixup_adds_the_shares_of_both_pictures() -> None:
    given = pictures()
    mix = Mixing(0, mixup=0.4, cutmix=0.0).draw(1, 2, 8, HEIGHT, WIDTH)
    mixed = mix.images(given)
    expected = mix.share * given + (1 - mix.share) * given[mix.partner]
    assert 0 < mix.share < 1 and torch.allclose(mixed, expected)
    assert torch.equal(given, pictures())  # the loader's buffers are left alone
    assert sorted(mix.partner.tolist()) == list(range(8))


def test_the_share_of_cutmix_is_that_of_the_pixels_that_are_left() -> None:
    mixing = Mixing(0, mixup=0.0, cutmix=1.0)
    for batch in range(50):
        mix = mixing.draw(0, batch, 8, HEIGHT, WIDTH)
        mixed = mix.images(pictures())
        for picture, (number, partner) in enumerate(enumerate(mix.partner.tolist())):
            own = mixed[picture] == number
            assert bool((own | (mixed[picture] == partner)).all())
            if partner != number:
                assert float(own.float().mean()) == pytest.approx(mix.share)


def test_labels_come_from_the_partner_of_one_target_or_of_several() -> None:
    mix = Mixing(0, mixup=1.0, cutmix=0.0).draw(0, 0, 4, HEIGHT, WIDTH)
    labels = torch.tensor([5, 6, 7, 8])
    assert mix.labels(labels).tolist() == [5 + p for p in mix.partner.tolist()]
    several = mix.labels({"a": labels, "b": labels.float()[:, None]})
    assert several["b"].shape == (4, 1) and several["a"].tolist() == mix.labels(labels).tolist()


def test_with_both_each_batch_draws_one_of_them() -> None:
    mixing = Mixing(3, mixup=0.2, cutmix=1.0)
    cuts = [mixing.draw(0, batch, 4, HEIGHT, WIDTH).box is not None for batch in range(60)]
    assert 15 < sum(cuts) < 45


def test_what_is_drawn_depends_on_seed_epoch_and_batch_alone() -> None:
    def drawn(seed: int, epoch: int, batch: int) -> tuple[float, list[int]]:
        mix = Mixing(seed, mixup=1.0, cutmix=0.0).draw(epoch, batch, 8, HEIGHT, WIDTH)
        return mix.share, mix.partner.tolist()

    once = drawn(0, 0, 0)
    torch.rand(3)
    assert drawn(0, 0, 0) == once
    keys = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert len({once[0], *(drawn(*key)[0] for key in keys)}) == 4


def test_without_either_nothing_is_mixed() -> None:
    assert not Mixing(0, mixup=0.0, cutmix=0.0)
    assert Mixing(0, mixup=0.2, cutmix=0.0) and Mixing(0, mixup=0.0, cutmix=1.0)


def test_no_rectangle_is_cut_out_of_features() -> None:
    with pytest.raises(MixingError, match="these are features"):
        refuse_unmixable(Recipe(model="linear", cutmix=1.0), (40, 1, 1))
    refuse_unmixable(Recipe(model="linear", mixup=0.2), (40, 1, 1))
    refuse_unmixable(Recipe(model="net:Net", cutmix=1.0), (3, 8, 8))
