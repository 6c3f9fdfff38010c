"""The token of all tests; `conftest` looks for it in their output."""

TOKEN = "hf_NeverToBeSeenAnywhere"
