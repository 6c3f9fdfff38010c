"""The settings file and the environment, read with every mistake reported at once."""
