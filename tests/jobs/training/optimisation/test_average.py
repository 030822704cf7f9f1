from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from jobs.training.optimisation.average import Average

pytestmark = pytest.mark.torch


def steps(network: torch.nn.Module, average: Average, count: int) -> None:
    for _ in range(count):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter))
        network.train()(torch.randn(4, 3))
        average.update()


def net() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))


def test_it_is_the_moving_average_of_weights_and_batch_statistics() -> None:
    torch.manual_seed(0)
    network = net()
    average = Average(network, 0.9)
    average.follow(network)
    expected = {name: value.clone() for name, value in network.state_dict().items()}
    for number in range(1, 101):
        steps(network, average, 1)
        decay = min(0.9, (1 + number) / (10 + number))  # 0.9 from the 81st on
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                expected[name] = decay * expected[name] + (1 - decay) * value
            else:
                expected[name] = value.clone()
    got = average.network.state_dict()
    assert int(got["1.num_batches_tracked"]) == 100
    for name, value in expected.items():
        assert torch.allclose(got[name], value, atol=1e-5), name


def test_it_goes_on_exactly_from_its_state() -> None:
    torch.manual_seed(0)
    network = net()
    average = Average(network, 0.99)
    average.follow(network)
    steps(network, average, 5)
    other = Average(net(), 0.99)
    other.load_state_dict(average.state_dict())
    other.follow(network)
    assert other.updates == 5
    steps(network, average, 1)
    other.update()
    for name, value in average.network.state_dict().items():
        assert torch.equal(other.network.state_dict()[name], value)


def test_nothing_of_it_learns() -> None:
    assert not any(parameter.requires_grad for parameter in Average(net(), 0.9).parameters())
