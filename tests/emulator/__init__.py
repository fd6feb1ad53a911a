"""Tests of the emulator tenant, over raw HTTP."""
