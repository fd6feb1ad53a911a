"""The Falcon API client: the only package that imports FalconPy."""
