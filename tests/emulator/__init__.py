"""With the real Pub/Sub emulator: `make emulator`."""
