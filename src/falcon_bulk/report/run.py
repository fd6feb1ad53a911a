"""What is printed of a run: before it (`preview`), at its end (`result`), from the journal (`runs`)."""

from falcon_bulk.report.preview import preview_sheets
from falcon_bulk.report.result import result_document, result_sheets, verdict
from falcon_bulk.report.runs import alert_records_sheet, run_detail_document, runs_document, runs_sheet

__all__ = [
    "alert_records_sheet",
    "preview_sheets",
    "result_document",
    "result_sheets",
    "run_detail_document",
    "runs_document",
    "runs_sheet",
    "verdict",
]
