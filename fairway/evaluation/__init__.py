"""What a model is worth: metrics with intervals, slices, comparisons, money."""
