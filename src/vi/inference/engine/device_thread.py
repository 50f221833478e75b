"""The thread that owns a device, and how it ends with its engine."""

from __future__ import annotations

import threading
import weakref
from typing import Protocol

LONGEST_STEP = 10.0  # seconds to wait at exit for the thread, which looks up after every step


class Loop(Protocol):
    """What the thread works on. It holds no engine, so an engine that nobody holds is collected and ends it."""

    def run(self) -> None:
        """The thread's whole life."""
        ...

    def close(self) -> None:
        """Have ``run`` end after the step that runs, from any thread."""
        ...


class DeviceThread:
    """Runs a loop until its owner, the engine, stops it, is collected, or the interpreter exits."""

    def __init__(self, owner: object, loop: Loop) -> None:
        self._thread = threading.Thread(target=loop.run, name="vi-device", daemon=True)
        self._thread.start()
        self._stop = weakref.finalize(owner, _stop, loop, self._thread)

    def stop(self) -> None:
        """Close the loop and wait for the thread, but not for ever; once."""
        self._stop()

    def join(self) -> None:
        self._thread.join()


def _stop(loop: Loop, thread: threading.Thread) -> None:
    loop.close()
    if thread is not threading.current_thread():
        thread.join(LONGEST_STEP)
