"""Late arrivals out of New York: how the rows are built and how the models are trained."""
