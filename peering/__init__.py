"""The language of the problem: what a peering is, is named, goes through and can run into. No I/O, no SDK."""
