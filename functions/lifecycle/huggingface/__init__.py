"""Hugging Face: the management API, endpoint URLs, and the token."""
