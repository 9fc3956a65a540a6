"""`parley` and `python -m app`."""

import sys
from pathlib import Path


def main() -> int:
    """A command, or a look at a file in a process of its own (`looking`), which is not for people."""
    if len(sys.argv) == 4 and sys.argv[1] == "look":
        from app import looking

        return looking.main(Path(sys.argv[2]), Path(sys.argv[3]))
    from app import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
