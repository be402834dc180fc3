"""From the world to the rows that a model may see."""
