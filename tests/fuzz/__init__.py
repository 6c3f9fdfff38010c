"""Coverage-guided fuzzing of every door: `make fuzz`."""
