"""`guantong` on the command line."""

from hub.cli.commands import main

if __name__ == "__main__":
    main()
