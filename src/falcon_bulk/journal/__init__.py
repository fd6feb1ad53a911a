"""The record of every run, batch and alert touched: one SQLite database per CID."""
