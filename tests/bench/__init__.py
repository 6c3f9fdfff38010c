"""Benchmarks: paired runs, medians with spread, ratios. `make bench`."""
