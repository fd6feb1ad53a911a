"""Measure time, requests, CPU and memory of falcon-bulk against a local tenant with Falcon's latencies."""
