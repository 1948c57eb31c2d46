"""Legendre polynomials for the switching of a bit once more, in extended precision: small probabilities of a flip."""

import numpy as np

EXTENDED = np.longdouble


def polynomials(at, terms):
    """P_0 to P_terms (terms + 1, n) by Bonnet's recursion."""
    found = [np.ones_like(at), at.copy()]
    for order in range(1, terms):
        found.append(((2 * order + 1) * at * found[-1] - order * found[-2]) / (order + 1))
    return np.array(found)


def gauss_points(count):
    """Nodes and weights of Gauss and Legendre, polished by Newton's method."""
    node = np.polynomial.legendre.leggauss(count)[0].astype(EXTENDED)
    for _ in range(3):
        value = polynomials(node, count)
        slope = count * (node * value[count] - value[count - 1]) / (node**2 - 1)
        node = node - value[count] / slope
    return node, 2 / ((1 - node**2) * slope**2)


def operator(current, stability, terms):
    """Matrix (terms, terms) of da/dt."""
    order, rows = np.arange(terms).astype(EXTENDED), np.arange(terms)
    by_z, shift = (np.zeros((terms, terms), EXTENDED) for _ in range(2))
    by_z[rows[1:], rows[:-1]] = (order[:-1] + 1) / (2 * order[:-1] + 1)
    by_z[rows[:-1], rows[1:]] = order[1:] / (2 * order[1:] + 1)
    bend = order * (order + 1) / (2 * order + 1)
    shift[rows[1:], rows[:-1]], shift[rows[:-1], rows[1:]] = bend[1:], -bend[:-1]
    norm = 2 / (2 * order + 1)
    drift = EXTENDED(current) * np.eye(terms, dtype=EXTENDED) - by_z
    return -(1 / norm)[:, None] * (shift * norm) @ drift - np.diag(order * (order + 1) / (2 * EXTENDED(stability)))


def exponential(matrix):
    """By scaling, a Taylor series and squaring."""
    halvings = int(np.ceil(np.log2(float(np.abs(matrix).sum(axis=1).max())))) + 3
    scaled = matrix / EXTENDED(2) ** halvings
    term = total = np.eye(len(matrix), dtype=EXTENDED)
    for order in range(1, 25):
        term = term @ scaled / order
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def mass_gone(current, pulse, stability, terms=100):
    """Mass at z < 0 after a pulse [t_D]."""
    node, weight = gauss_points(3 * terms)
    z = (node + 1) / 2
    density = np.exp(EXTENDED(stability) * (z**2 - 1)) * weight
    order = np.arange(terms)
    moments = (2 * order + 1) / EXTENDED(2) * (polynomials(z, terms - 1) @ density) / density.sum()
    left = exponential(operator(current, stability, terms) * EXTENDED(pulse)) @ moments
    at_zero = polynomials(np.zeros(1, EXTENDED), terms)[:, 0]
    half = np.concatenate([[EXTENDED(1)], (at_zero[order[1:] - 1] - at_zero[order[1:] + 1]) / (2 * order[1:] + 1)])
    return float((half * (-1.0) ** order * left).sum())
