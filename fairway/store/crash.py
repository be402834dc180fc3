"""Die at a chosen write, so that tests can see what an abrupt end leaves behind.

Room: ``fairway.store``, the first file of it. Every durable write of the room passes one point
before and one after itself. Without a chosen number a point costs one comparison and does nothing.
"""

import os
import signal
import threading


class CrashPoints:
    """A counter of durable writes that kills this process when it reaches the chosen one.

    The law that the crash tests rely on: with N = 1, 2, 3, ... a deterministic act dies at each of
    its writes in turn, until it ends by itself. ``SIGKILL`` leaves no time to tidy up.

    Attributes:
        at: The point to die at, counted from 1; None lets everything live.
    """

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self._passed = 0
        self._lock = threading.Lock()

    def point(self) -> None:
        """Pass one point; at the chosen one the process is gone before this returns."""
        if self.at is None:
            return
        with self._lock:
            self._passed += 1
            if self._passed == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
