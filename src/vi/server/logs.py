"""One JSON object a line on standard error: what was asked for, how it ended, how long it took; never a key."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from typing import Any

FIELDS = ("request_id", "client", "method", "path", "status", "seconds", "bytes", "code", "detail")


class JsonLines(logging.Formatter):
    """Time (UTC), level, logger and message, and those of FIELDS that a record brings with ``extra=``."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "logger": record.name}
        line["message"] = record.getMessage()
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr() -> None:
    """Have the server's, the engine's and uvicorn's loggers write such lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in {"vi": logging.INFO, "uvicorn": logging.INFO, "uvicorn.access": logging.WARNING}.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers = [handler] if name != "uvicorn.access" else []
        logger.propagate = name == "uvicorn.access"
