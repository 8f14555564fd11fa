"""Azure Table Storage, as a part of the local cloud."""
