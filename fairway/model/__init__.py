"""What a model is and how one is run; numpy and Arrow, never an engine."""
