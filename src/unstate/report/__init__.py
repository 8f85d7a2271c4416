"""Views of what was found and of what would change. Every one is made from the same `Scan` or `Plan`.

`SCAN_FORMATS` names the views of a scan for programs: format -> "module:function", a function from a Scan to bytes.
"""

from unstate.report.data import scan_json, scan_jsonl
from unstate.report.text import dry_run, scan_text

__all__ = ["SCAN_FORMATS", "dry_run", "scan_json", "scan_jsonl", "scan_text"]

SCAN_FORMATS = {
    "json": "unstate.report.data:scan_json",
    "jsonl": "unstate.report.data:scan_jsonl",
    "sarif": "unstate.report.sarif:scan_sarif",
    "github": "unstate.report.ci:scan_github",
    "junit": "unstate.report.ci:scan_junit",
    "markdown": "unstate.report.markdown:scan_markdown",
}
