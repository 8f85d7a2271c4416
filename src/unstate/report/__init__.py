"""Views of what was found and of what would change. Every one is made from the same `Scan` or `Plan`."""

from unstate.report.data import scan_json, scan_jsonl
from unstate.report.text import dry_run, scan_text

__all__ = ["dry_run", "scan_json", "scan_jsonl", "scan_text"]
