"""The app's version, which the registry records with every object that it created."""

from typing import Final

VERSION: Final = "0.2.0"
