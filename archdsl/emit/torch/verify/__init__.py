"""Whether emitted source is the checked graph: the text it may hold, tracing, comparing, running the graph in torch."""
