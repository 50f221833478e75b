"""Runs: where they are found or fetched from, what files they have, what their record says."""

from vi.inference.runs.files import RunFiles
from vi.inference.runs.find import EMBEDDED_RUN, find_run
from vi.inference.runs.record import RunRecord

__all__ = ["EMBEDDED_RUN", "RunFiles", "RunRecord", "find_run"]
