"""`parley` and `python -m app`."""

import sys
from pathlib import Path


def main() -> int:
    """The command line; or, started by Parley itself, a process of its own that needs little: a linked device, what
    runs the files of `handlers/`, or a look at a file."""
    if sys.argv[1:] == ["linked-device"]:
        from app.connectors.whatsapp_web import child

        return child.main()
    if sys.argv[1:2] == ["handler-files"]:
        from app import handling

        return handling.main(sys.argv[2])
    if len(sys.argv) == 4 and sys.argv[1] == "look":
        from app import looking

        return looking.main(Path(sys.argv[2]), Path(sys.argv[3]))
    from app import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
