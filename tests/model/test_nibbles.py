"""The 4-bit planes: what they hold, and that decoding with them is decoding."""

from pathlib import Path

import pytest
import tiny
import torch

from daneel.model.cache import Cache
from daneel.model.load import load_model
from daneel.model.nibbles import GROUP, quantise


def grid_matrix(outputs: int, inputs: int, steps: int) -> torch.Tensor:
    """A matrix whose groups use levels 0 to `steps` of a scale and a least value, as a 4-bit file has them."""
    draw = torch.Generator().manual_seed(7)
    q = torch.randint(0, steps + 1, (outputs, inputs // GROUP, GROUP), generator=draw)
    q[..., 0], q[..., 1] = 0, steps
    scale = torch.rand((outputs, inputs // GROUP, 1), generator=draw) * 0.01 + 0.001
    least = -scale * 7.5 + torch.randn(scale.shape, generator=draw) * 0.001
    return (q * scale + least).view(outputs, inputs).bfloat16()


def shift(copy: torch.Tensor, weight: torch.Tensor) -> float:
    """Distance as a share of the matrix."""
    return float((copy - weight.float()).norm() / weight.float().norm())


def whole(weight: torch.Tensor) -> tuple[torch.Tensor, int]:
    """The matrix that a copy stands for, read by multiplying it with each unit vector."""
    copy = quantise(weight)
    assert copy is not None
    rows = [copy(row[None])[0] for row in torch.eye(weight.shape[1], dtype=torch.bfloat16)]
    return torch.stack(rows, dim=1).float(), copy.planes


@pytest.mark.parametrize("steps", [15, 13])
@pytest.mark.parametrize("shape", [(64, 64), (80, 96), (1088, 576)])
def test_a_matrix_from_a_four_bit_file_takes_one_plane(steps: int, shape: tuple[int, int]) -> None:
    weight = grid_matrix(*shape, steps)
    copy, planes = whole(weight)
    assert planes == 1
    assert shift(copy, weight) < 0.005


@pytest.mark.parametrize("shape", [(64, 64), (1088, 576)])
def test_any_other_matrix_takes_two_with_the_precision_of_eight_bits(shape: tuple[int, int]) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    weight[3, 5] = 40.0  # an outlier spoils its own group of 32 only
    copy, planes = whole(weight)
    assert planes == 2
    assert shift(copy, weight) < 0.008


def test_one_group_off_the_grid_is_enough_for_two_planes() -> None:
    weight = grid_matrix(64, 64, 15)
    weight[63, 32:] = torch.randn(32, generator=torch.Generator().manual_seed(2)).bfloat16()
    assert whole(weight)[1] == 2


@pytest.mark.parametrize("fill", [0.0, -0.25])
def test_a_constant_matrix(fill: float) -> None:
    weight = torch.full((16, 32), fill).bfloat16()
    copy, planes = whole(weight)
    assert planes == 1
    assert torch.equal(copy, weight.float())


@pytest.mark.parametrize("shape", [(24, 64), (64, 48)])
def test_shapes_that_the_kernel_does_not_take(shape: tuple[int, int]) -> None:
    assert quantise(torch.zeros(shape, dtype=torch.bfloat16)) is None


@torch.no_grad()
def test_decoding_with_planes_is_decoding(tmp_path: Path) -> None:
    folder = tiny.tiny_model(tmp_path / "model", hidden_size=64, intermediate_size=96, head_dim=16)
    model = load_model(folder, "bfloat16")
    ids = torch.randint(3, 400, (1, 12), generator=torch.Generator().manual_seed(3))
    exact = model(ids)
    model.add_nibbles()
    cache = Cache(model.arch, 1, ids.shape[1], model.dtype)
    steps = [model(token[:, None], cache=cache, slots=[0]) for token in ids.T]
    off = (torch.cat(steps, dim=1) - exact).norm() / exact.norm()
    # Not 0: then the planes would not have been used.
    assert 0 < off < 0.05
    assert torch.equal(model(ids), exact)
