"""Frozen data with small rules: alerts, selections, plans, outcomes."""
