"""What the tool speaks of: alerts, selections, plans, outcomes. Frozen data and small rules on it."""
