"""What the app costs, measured: `make bench`."""
