"""Rendering: the only package that prints data.

A `Report` (`report.py`) has sheets (`sheet.py`) for table, markdown and csv, a document for json, and a page
(`page.py`) for html. `output.py` writes them to a stream.
"""
