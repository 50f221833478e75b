"""The command line, ``vi-infer``."""

from __future__ import annotations


def main() -> None:
    """Run ``vi-infer`` with the process's arguments, and exit."""
    import logging
    import sys

    from vi.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a character is no failure
    # A model logs what its answers' warnings say; the command line says it once, beside the answer.
    logging.getLogger("vi.inference").addFilter(lambda record: False)
    app(prog_name="vi-infer")
