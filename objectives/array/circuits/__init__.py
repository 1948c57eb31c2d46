"""Circuits that every array is built from: gates, decoders, multiplexers, sense amplifiers, wires."""
