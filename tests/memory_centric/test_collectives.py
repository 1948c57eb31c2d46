"""Collectives against a simulation of every message on every link, and against figure 9's premises."""

import heapq
from itertools import count

import pytest

from dse.objectives.memory_centric.collectives import (
    broadcast_ring_time,
    message_broadcast_time,
    message_time,
    ring_time,
)


class Ring:
    """A ring whose links carry one message after the other; messages are passed on when they have arrived."""

    def __init__(self, nodes, bandwidth, delay):
        self.nodes, self.bandwidth, self.delay = nodes, bandwidth, delay
        self.free = [0.0] * nodes
        self.queue, self.order, self.end = [], count(), 0.0

    def send(self, time, node, message):
        heapq.heappush(self.queue, (time, next(self.order), node, message))

    def run(self, size, arrived):
        while self.queue:
            time, _, node, message = heapq.heappop(self.queue)
            self.free[node] = max(self.free[node], time) + size / self.bandwidth
            at = self.free[node] + self.delay
            self.end = max(self.end, at)
            arrived(at, (node + 1) % self.nodes, message)
        return self.end


def simulated(size, message, nodes, members, bandwidth, delay, rounds):
    """Every member's part goes from member to member, the nodes between forward; as many steps as the rounds ask."""
    gap, steps = nodes // members, rounds * (members - 1)
    number = -(-size // (members * message))
    ring = Ring(nodes, bandwidth, delay)
    for member in range(members):
        for part in range(number):
            ring.send(0.0, member * gap, (0, part))

    def arrived(time, node, message):
        step, part = message
        at_member = node % gap == 0
        if not at_member or step + 1 < steps:
            ring.send(time, node, (step + at_member, part))

    return ring.run(size / (members * number), arrived)


def simulated_broadcast(size, message, nodes, bandwidth, delay):
    number = -(-size // message)
    ring = Ring(nodes, bandwidth, delay)
    for part in range(number):
        ring.send(0.0, 0, part)

    def arrived(time, node, part):
        if node < nodes - 1:
            ring.send(time, node, part)

    return ring.run(size / number, arrived)


@pytest.mark.parametrize("delay", [0.0, 1e-8, 1e-6, 1e-4])
@pytest.mark.parametrize(("nodes", "members"), [(2, 2), (8, 8), (16, 8), (16, 16), (24, 8), (12, 3)])
@pytest.mark.parametrize(("size", "message"), [(4096, 4096), (100_000, 4096), (1 << 20, 4096), (999_999, 7000)])
@pytest.mark.parametrize("rounds", [1, 2])
def test_messages_agree_with_their_simulation(size, message, nodes, members, delay, rounds):
    closed = message_time(size, message, nodes, members, 25e9, delay, rounds)
    assert closed == pytest.approx(simulated(size, message, nodes, members, 25e9, delay, rounds), rel=1e-9)


@pytest.mark.parametrize("delay", [0.0, 1e-7, 1e-5])
@pytest.mark.parametrize("nodes", [2, 8, 16, 20])
@pytest.mark.parametrize(("size", "message"), [(4096, 4096), (1 << 20, 4096), (123_457, 1000)])
def test_broadcasts_agree_with_their_simulation(size, message, nodes, delay):
    closed = message_broadcast_time(size, message, nodes, 25e9, delay)
    assert closed == pytest.approx(simulated_broadcast(size, message, nodes, 25e9, delay), rel=1e-9)


@pytest.mark.parametrize("rounds", [1, 2])
def test_sixteen_nodes_take_7_percent_longer_than_eight(rounds):
    eight, sixteen = (message_time(8 << 20, 4096, n, n, 25e9, 0.0, rounds) for n in (8, 16))
    assert sixteen / eight - 1 == pytest.approx(0.0714, abs=5e-5)


def test_broadcast_over_sixteen_nodes_takes_a_third_of_a_percent_longer():
    eight, sixteen = (message_broadcast_time(8 << 20, 4096, n, 25e9, 0.0) for n in (8, 16))
    assert sixteen / eight - 1 == pytest.approx(0.0039, abs=5e-5)


@pytest.mark.parametrize("rounds", [1, 2])
def test_many_small_messages_reach_the_bandwidth_model(rounds):
    size, nodes = 1 << 26, 16
    closed = message_time(size, 64, nodes, nodes, 25e9, 0.0, rounds)
    assert closed == pytest.approx(float(ring_time(size, nodes, 25e9, 0.0, rounds)), rel=1e-3)
    whole = message_broadcast_time(size, 64, nodes, 25e9, 0.0)
    assert whole == pytest.approx(float(broadcast_ring_time(size, nodes, 25e9, 0.0)), rel=1e-3)


def test_one_device_needs_no_collective():
    assert ring_time(1e9, 1, 150e9, 1e-6, 2) == 0
