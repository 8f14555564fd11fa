"""The throw-away certificate authority of this process."""

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

import trustme


@cache
def certificate_authority() -> trustme.CA:
    """One authority for all local clouds of a process: some clients read the trusted ones only once, when imported."""
    return trustme.CA(organization_name="local cloud of aiven-azure-peering")


def trust_in_this_process() -> None:
    """Let clients that are imported from now on trust the authority: aiohttp reads SSL_CERT_FILE at its import."""
    handle, name = tempfile.mkstemp(suffix=".pem")
    os.close(handle)
    certificate_authority().cert_pem.write_to_path(name)
    atexit.register(Path(name).unlink)
    os.environ["SSL_CERT_FILE"] = name
