"""`python -m slotd` is the command `slotd`."""

from slotd.cli import main

if __name__ == "__main__":
    main()
