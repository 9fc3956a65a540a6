"""Fuzzing that follows coverage: `make fuzz ARGS="cloud 600"`. Not part of the suite: it ends when its time does."""
