"""Reliability of a bit: switching, retention, disturbance, spread, endurance and protection."""
