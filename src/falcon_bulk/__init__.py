"""falcon-bulk reviews and closes CrowdStrike Falcon alerts in bulk."""

__version__ = "0.1.0"
