"""What the app costs, measured: `make bench`."""

import os

from local.cloud.server.authority import trust_in_this_process

# The app that is measured in a process of its own trusts the authority of the cloud that it is led to.
if "LOCAL_CLOUD_ADMIN_URL" not in os.environ:
    trust_in_this_process()
