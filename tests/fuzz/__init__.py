"""Coverage-guided fuzzing of every entry point: `make fuzz`."""
