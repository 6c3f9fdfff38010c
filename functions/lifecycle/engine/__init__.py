"""What the functions do: observe, decide, act, report."""
