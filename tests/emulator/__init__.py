"""Tests of the sandbox tenant, over raw HTTP."""
