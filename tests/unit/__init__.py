"""The parts that need no other process: the language of the problem, and how answers are read."""
