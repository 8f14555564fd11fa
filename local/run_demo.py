"""`make demo` as a program: Ctrl-C ends it with one line, even while its modules are loading."""

import sys


def main() -> int:
    """Run the demonstration, whose modules take a second to load; returns the exit status."""
    try:
        from local.demo import main as play

        return play()
    except KeyboardInterrupt:
        sys.stderr.write("stopped; no process is left running\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
