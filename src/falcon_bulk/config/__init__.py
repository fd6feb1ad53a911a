"""Whose tenant, with which credentials: env files, customers, regions, the state folder."""
