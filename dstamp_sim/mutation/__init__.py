"""A wing: a model with one thing changed at a time, to see which changes its properties notice."""
