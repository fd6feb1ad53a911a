"""Builders and harnesses that the tests share."""
