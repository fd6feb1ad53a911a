"""Rendering: the only room that prints data.

A report is made as sheets (`sheet.py`), which table, markdown and csv show in their way, or as a document
(a dict) of one of the JSON contracts. `output.py` brings either to a stream or a file.
"""
