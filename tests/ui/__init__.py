"""The page in Chromium, against the app and the local cloud; and its files."""
