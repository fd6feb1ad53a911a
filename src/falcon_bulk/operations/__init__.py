"""What the commands do, free of the command line, of rendering and of FalconPy."""
