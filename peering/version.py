"""The app's version, which the registry notes with everything that it made."""

from typing import Final

VERSION: Final = "0.2.0"
