"""Values, rules and forecasts. Pure: no input or output, no clock, no global state."""
