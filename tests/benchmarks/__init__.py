"""Tests of the benchmark: its scripts run, and count as met only what is."""
