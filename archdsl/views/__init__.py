"""Results as tables and text, for terminals, notebooks and other programs."""
