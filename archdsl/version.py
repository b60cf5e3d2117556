"""The version of archdsl; the build reads it."""

__version__ = "0.2.0"
