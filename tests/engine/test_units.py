"""Quantities and capacities with units, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.units import format_capacity, format_quantity, parse_capacity, parse_quantity

RELATIVE_TOLERANCE = 1e-9


@given(st.integers(1, 1 << 32), st.sampled_from(["B", "KB", "MB", "GB", "kb", "Mb", " MB"]))
def test_capacities(number: int, unit: str) -> None:
    factor = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[unit.strip().upper()]
    assert parse_capacity(f"{number}{unit}") == number * factor
    assert parse_capacity(format_capacity(number * factor)) == number * factor


@pytest.mark.parametrize(
    "text",
    ["3", "0MB", "", "MB", "3XB", "3 M B", "-3MB", "1.5MB", "3e6B", "3MiB", "٣MB", "9" * 5000 + "MB", "3MB\n\x1b[2J"],
    ids=lambda text: repr(text[:12]),
)
def test_bad_capacities(text: str) -> None:
    with pytest.raises(InputError, match=r"capacity '.*' is not understood: write .*3MB or 512KB") as caught:
        parse_capacity(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("text", "unit", "value"), [
    ("2.5ns", "s", 2.5e-9), ("800ps", "s", 800e-12), ("1s", "s", 1.0), ("1e-9", "s", 1e-9), ("3 us", "s", 3e-6),
    ("3µs", "s", 3e-6), ("0.3nJ", "J", 0.3e-9), ("12pJ", "J", 12e-12), ("4fJ", "J", 4e-15), ("800mW", "W", 0.8),
    ("1kW", "W", 1e3), ("+1.W", "W", 1.0), (".5W", "W", 0.5), ("1.2mm2", "m2", 1.2e-6), ("1.2mm²", "m2", 1.2e-6),
    ("30um2", "m2", 30e-12), ("30µm²", "m2", 30e-12), ("1m2", "m2", 1.0), ("-3", "", -3.0), ("1e-20", "", 1e-20),
    ("1E3ns", "s", 1e-6), ("1Ms", "s", 1e6),
])
def test_quantities(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value, rel=RELATIVE_TOLERANCE, abs=0)


@pytest.mark.parametrize(("text", "unit"), [
    ("ns", "s"), ("", "s"), ("1 2", "s"), ("1ms2", "s"), ("1mm2", "s"), ("1ns", "m2"), ("1mJ", "W"), ("1Msec", "s"),
    ("1e", "s"), ("inf", "s"), ("nan", "s"), ("0x10", "s"), ("1ns", ""), ("1mm", "m2"), ("1km2", "m2"), ("1n", "s"),
])
def test_bad_quantities(text: str, unit: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity(text, unit)
    assert {"s": "2.5ns", "W": "800mW", "m2": "1.2mm2", "": "1.5e-3"}[unit] in str(caught.value)


@given(st.floats(1e-14, 1e4), st.sampled_from(["s", "J", "W", "m2", ""]))
def test_quantities_for_people(value: float, unit: str) -> None:
    text = format_quantity(value, unit)
    assert parse_quantity(text, unit) == pytest.approx(value, rel=6e-4, abs=0)
    number = text.split()[0]
    assert unit in ("m2", "") or value >= 999.95 or 0.9995 <= float(number) < 1001


@pytest.mark.parametrize(("value", "unit", "text"), [
    (2.5e-9, "s", "2.5 ns"), (0.0, "W", "0 W"), (1.2e-6, "m2", "1.2 mm²"), (5e-11, "m2", "50 µm²"),
    (3e-6, "J", "3 µJ"), (-2e-3, "W", "-2 mW"), (1.5e-3, "", "0.0015"), (12.0, "s", "12 s"),
])
def test_written_for_people(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


YEAR = 365.25 * 24 * 3600


@pytest.mark.parametrize(("text", "unit", "value"), [
    ("10y", "s", 10 * YEAR), ("2 years", "s", 2 * YEAR), ("1.5h", "s", 5400.0), ("3d", "s", 3 * 86400.0),
    ("5min", "s", 300.0), ("900GB/s", "B/s", 9e11), ("1B/s", "B/s", 1.0), ("3GB", "B", 3 * 2.0**30),
    ("64MiB", "B", 64 * 2.0**20), ("1KB", "B", 1024.0), ("512", "B", 512.0), ("1.5GHz", "Hz", 1.5e9),
    ("350K", "K", 350.0), ("4mK", "K", 4e-3), ("250$", "$", 250.0), ("3k$", "$", 3000.0),
    ("12ksamples/s", "samples/s", 12e3), ("2.5PB/s", "B/s", 2.5e15), ("7fJ s", "J s", 7e-15), ("0.2PJ", "J", 2e14),
])
def test_units_of_other_families(text: str, unit: str, value: float) -> None:
    """Bytes count in powers of 1024, bytes per second in powers of 1000."""
    assert parse_quantity(text, unit) == pytest.approx(value, rel=RELATIVE_TOLERANCE, abs=0)


@pytest.mark.parametrize(("text", "unit", "said"), [
    ("900GB", "B/s", "'GB' is not a unit of bandwidth, as in 900GB/s"),
    ("3GB/s", "B", "'GB/s' is not a unit of bytes"),
    ("1y", "J", "'y' is not a unit of energy"), ("1XB/s", "B/s", "'XB/s' is not a unit"),
    ("1ym", "s", "'ym' is not a unit of time"), ("4XiB", "B", "'XiB' is not a unit of bytes, as in 3GB"),
    ("1iB", "B", "'iB' is not a unit of bytes"), ("5GHz", "s", "'GHz' is not a unit of time"),
    ("fast", "samples/s", "'fast' is not a number with a unit, as 1.5e3samples/s"),
])
def test_units_that_do_not_fit(text: str, unit: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_quantity(text, unit)
    assert said in str(caught.value)


@pytest.mark.parametrize(("value", "unit", "text"), [
    (3 * 2.0**30, "B", "3 GB"), (1536.0, "B", "1.5 KB"), (0.0, "B", "0 B"), (-2048.0, "B", "-2 KB"),
    (9e11, "B/s", "900 GB/s"), (10 * YEAR, "s", "10 y"), (3 * 86400.0, "s", "3 d"), (5400.0, "s", "5.4 ks"),
    (1.5e9, "Hz", "1.5 GHz"), (350.0, "K", "350 K"), (250.0, "$", "250 $"), (12e3, "samples/s", "12 ksamples/s"),
    (3e-26, "J s m2", "3e-26 J s m2"), (0.25, "1", "0.25"), (12.5, "%", "12.5 %"), (2e16, "B/s", "20 PB/s"),
])
def test_other_units_written_for_people(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


@given(st.floats(1e-9, 1e18), st.sampled_from(["B", "B/s", "Hz", "K", "samples/s", "s"]))
def test_what_is_written_is_read(value: float, unit: str) -> None:
    assert parse_quantity(format_quantity(value, unit), unit) == pytest.approx(value, rel=6e-4, abs=0)
