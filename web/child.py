"""Give a process its limits, then become the command: ``python child.py MEMORY_MB COMMAND …``.

It runs by its path and imports the standard library alone, so that the limits stand before anything
of weight is loaded.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

PARENT_DEATH = 1
"""``PR_SET_PDEATHSIG`` of Linux's ``prctl``."""


def main(arguments: list[str]) -> None:
    """Limit the address space and core files, and replace this process by the command.

    On Linux the command also ends with the worker that started it, however that ends.
    """
    memory, command = int(arguments[0]) * 2**20, arguments[1:]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
