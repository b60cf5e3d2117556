"""The contract of the operators."""
