"""What falcon-bulk costs in time, requests, CPU and memory, against a local tenant that is as slow as Falcon."""
