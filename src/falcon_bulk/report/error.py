"""The JSON document that takes the place of a result when a command fails."""

import msgspec

from falcon_bulk.errors import FalconBulkError
from falcon_bulk.model.multi_customer import CustomerError


class ErrorDocument(msgspec.Struct, frozen=True, tag_field="schema", tag="falcon-bulk/error/1"):
    """`falcon-bulk/error/1`: what went wrong, and the exit code of the command."""

    error: CustomerError
    exit_code: int


def error_document(error: FalconBulkError) -> ErrorDocument:
    """Return the document of an error."""
    return ErrorDocument(CustomerError.of(error), int(error.exit_code))
