"""Weeks of the whole system on a simulated clock, with faults, and the invariants that must hold."""
