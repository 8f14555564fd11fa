"""Access to the registry; the SDK of its tables is imported at the first use."""

import asyncio
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from clients.registry.tables import Registry

_open: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, "Registry"]] = WeakKeyDictionary()


def registry() -> "Registry":
    """The registry, with one client for each event loop: a worker has one, and keeps its connections.

    Raises:
        ProblemError: `setting-invalid`, when no setting tells where the Table service is.
    """
    loop = asyncio.get_running_loop()
    if loop not in _open:
        from clients.registry.tables import Registry, table_service

        _open[loop] = Registry(table_service())
    return _open[loop]
