"""`python -m falcon_bulk`."""

from falcon_bulk.cli.main import run

if __name__ == "__main__":
    run()
