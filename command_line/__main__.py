"""`python -m command_line`, which is the command `peering`."""

from command_line.app import main

if __name__ == "__main__":
    main()
