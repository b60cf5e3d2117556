"""What the language can say: networks that each need a part of it, against references."""
