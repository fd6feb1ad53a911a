"""The JSON document that stands where a result would, when there is none."""

from typing import Any

from falcon_bulk.model.multi_customer import CustomerError


def error_document(code: str, message: str, hint: str, exit_code: int) -> dict[str, Any]:
    """`falcon-bulk/error/1`: the error's code, sentence and hint, and the exit code of the command."""
    return {
        "schema": "falcon-bulk/error/1",
        "error": {"code": code, "message": message, "hint": hint},
        "exit_code": int(exit_code),
    }


def customer_error_document(error: CustomerError | None) -> dict[str, str] | None:
    """The `error` of a customer among others: the same keys, or null."""
    return None if error is None else {"code": error.code, "message": error.message, "hint": error.hint}
