"""A process that ends with its parent, however that ends: its standard input is then closed."""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """End this process in order when the other end of its standard input is closed."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()
