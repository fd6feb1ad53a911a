"""Configuration: env files, customers, settings, Falcon clouds, the state folder."""
