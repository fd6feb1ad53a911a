"""The client layer: the only room that knows FalconPy and the wire."""
