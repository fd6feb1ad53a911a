"""Tests of the emulator over plain HTTP."""
