"""DRAM traffic against loops over tiles that are run, and what steps move against sums over their tensors."""

from itertools import permutations, product

import numpy as np
import pytest

from dse.objectives.network.catalog import load_network
from dse.objectives.network.training import inference_step, training_step
from dse.objectives.systolic.dram import tilings
from dse.objectives.systolic.folds import OUTPUT, WEIGHT, Shape
from dse.objectives.systolic.operands import TENSOR_CLASSES, products_of
from dse.objectives.systolic.traffic import ACCUMULATOR, TiledProducts

MB = 1 << 20


def run_loops(sizes, tile, order):
    """Numbers that cross to and from buffers which hold one tile each, by running the loops."""
    parts = [[(start, min(start + step, size)) for start in range(0, size, step)] for size, step in
             zip(sizes, tile, strict=True)]
    held = {}
    moved = 0
    seen = set()
    for turn in product(*(range(len(parts[loop])) for loop in order)):
        at = dict(zip(order, turn, strict=True))
        for name, (one, other) in {"left": (0, 2), "right": (2, 1), "result": (0, 1)}.items():
            key = (at[one], at[other])
            if held.get(name) == key:
                continue
            size = np.prod([parts[loop][at[loop]][1] - parts[loop][at[loop]][0] for loop in (one, other)])
            if name == "result":
                moved += size  # written once for each time that it is worked on
                moved += size if key in seen else 0  # and read back before
                seen.add(key)
            else:
                moved += size
            held[name] = key
    return moved


@pytest.mark.parametrize("sizes", [(5, 4, 6), (3, 8, 2), (7, 1, 5)])
@pytest.mark.parametrize("most", [(6, 6, 6), (12, 5, 9), (2, 30, 4), (40, 3, 3)])
def test_best_tiling_of_all_loops_that_can_be_run(sizes, most):
    m, n, k = sizes
    least = min(
        run_loops(sizes, tile, order)
         for tile in product(range(1, m + 1), range(1, n + 1), range(1, k + 1))
         if tile[0] * tile[2] <= most[0] and tile[2] * tile[1] <= most[1] and tile[0] * tile[1] <= most[2]
         for order in permutations(range(3))
    )
    ways = tilings(*sizes, every=True)
    fits = (ways.left <= most[0]) & (ways.right <= most[1]) & (ways.result <= most[2])
    moved = m * k * ways.left_passes + k * n * ways.right_passes + m * n * (2 * ways.result_passes - 1)
    assert moved[fits].min() == least


def test_the_turns_that_are_tried_come_close_to_all():
    for most in (100.0, 1000.0, 5000.0):
        found = []
        for every in (True, False):
            ways = tilings(200, 150, 90, every=every)
            fits = np.maximum.reduce([ways.left, ways.right, ways.result]) <= most
            moved = 18000 * ways.left_passes + 13500 * ways.right_passes + 30000 * (2 * ways.result_passes - 1)
            found.append(moved[fits].min())
        assert found[0] <= found[1] <= 1.15 * found[0]


def capacities(total):
    shares = {"activation": 3, "weight": 2, "error": 2, "gradient": 1}
    return {**{name: total * part / 8 for name, part in shares.items()}, ACCUMULATOR: float(MB)}


def test_large_buffers_move_each_operand_once():
    step = training_step(load_network("resnet-18"), 2, precision="bf16")
    tiled = TiledProducts(products_of(step))
    passes = tiled.passes(capacities(1 << 40))
    moved = tiled.movement(Shape(32, 32), OUTPUT, capacities(1 << 40), passes)
    of_products = [one for one in step.operations if one.products]
    least = sum(access.size for one in of_products for access in (*one.reads, *one.writes))
    assert 0.97 * least < moved.dram_bytes.sum() <= least  # strides skip some inputs
    assert tiled.step.products.macs.sum() == sum(one.macs for one in step.operations)


def test_smaller_buffers_move_more():
    tiled = TiledProducts(products_of(training_step(load_network("vgg-16"), 8, precision="bf16")))
    moved = []
    for total in (1 * MB, 4 * MB, 64 * MB):
        passes = tiled.passes(capacities(total))
        moved.append(tiled.movement(Shape(32, 32), OUTPUT, capacities(total), passes).dram_bytes.sum())
    assert moved[0] > moved[1] > moved[2]


def test_what_does_not_fit_has_no_traffic():
    tiled = TiledProducts(products_of(training_step(load_network("resnet-18"), 2, precision="bf16")))
    assert np.isnan(tiled.passes(capacities(8)).left).all()


def test_roles_of_attention():
    """Scores and context are products of activations, whose gradients have an error on either side."""
    step = training_step(load_network("bert-base"), 1, precision="bf16", optimizer="adam")
    found = products_of(step)
    roles = {tuple(TENSOR_CLASSES[int(side.kind[row])] for side in found.sides) for row in range(len(found.left.kind))}
    assert roles == {
        ("activation", "weight", "activation"), ("activation", "activation", "activation"),
        ("error", "weight", "error"), ("error", "activation", "error"), ("activation", "error", "error"),
        ("error", "activation", "gradient"),
    }
    assert found.classes == TENSOR_CLASSES


def test_weights_of_inference_stay_where_they_fit():
    tiled = TiledProducts(products_of(inference_step(load_network("squeezenet"), 1, precision="bf16")))
    assert tiled.step.classes == ("activation", "weight")
    large, small = capacities(64 * MB), capacities(4 * MB)
    moved = [tiled.movement(Shape(32, 32), WEIGHT, size, tiled.passes(size)) for size in (large, small)]
    assert moved[0].buffers["weight"].written.sum() == 0 < moved[1].buffers["weight"].written.sum()
    assert moved[0].buffers["weight"].read.sum() == moved[1].buffers["weight"].read.sum()
    training = TiledProducts(products_of(training_step(load_network("squeezenet"), 1, precision="bf16")))
    assert not training.resident(large)
