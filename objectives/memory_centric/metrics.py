"""What a memory-centric system is judged by."""

from dse.problem import Metric, NamedObjective, Sign

NOT_NEGATIVE = Sign.NOT_NEGATIVE
METRICS = {
    "iteration_time": Metric("s", help="of one iteration of training"),
    "throughput": Metric("samples/s"),
    "compute_time": Metric("s", help="sum of a device's operations"),
    "transfer_time": Metric("s", NOT_NEGATIVE, "sum of a device's transfers to and from the store"),
    "synchronization_time": Metric("s", NOT_NEGATIVE, "sum of the collectives"),
    "energy": Metric("J", help="of one iteration: power, and what links take per bit"),
    "samples_per_joule": Metric("samples/J"),
    "power": Metric("W", help="thermal design power of the system"),
    "power_low": Metric("W", help="at the low ends of its parts' ranges"),
    "power_high": Metric("W", help="at the high ends of its parts' ranges"),
    "price": Metric("$"),
    "price_low": Metric("$", help="at the low ends of its parts' ranges"),
    "price_high": Metric("$", help="at the high ends of its parts' ranges"),
    "capacity": Metric("B", help="memory of devices and backing store"),
    "footprint": Metric("B", help="what training keeps, of all devices"),
    "fill": Metric("", NOT_NEGATIVE, "footprint over capacity"),
    "device_fill": Metric("", NOT_NEGATIVE, "what a device must hold at once over its memory"),
    "host_bandwidth": Metric("B/s", NOT_NEGATIVE, "traffic to and from host memory, of all devices, on average"),
}
"""Metrics of a system; iteration time and what follows is of all devices together."""
NAMED = {
    "throughput": NamedObjective("throughput", "samples/s", maximize=True, help="samples per second"),
    "samples_per_joule": NamedObjective("samples_per_joule", "samples/J", maximize=True, then="iteration_time",
                                        help="samples per joule"),
    "capacity": NamedObjective("capacity", "B", maximize=True, then="iteration_time",
                               help="memory of devices and store"),
    "throughput_per_price": NamedObjective("throughput / price", "samples/s/$", maximize=True,
                                           help="samples per second and dollar"),
}
"""Objectives with names of their own."""
FITS = ("fill<=1", "device_fill<=1")
"""What every design must meet: all fits into the memory there is, and what is needed at once into a device."""
