"""`make demo` as a program: Ctrl-C ends it in a line, also while what it needs is being loaded."""

import sys


def main() -> int:
    """Run the demonstration, which takes a second to load; returns the exit status."""
    try:
        from local.demo import main as play

        return play()
    except KeyboardInterrupt:
        sys.stderr.write("stopped; nothing goes on\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
