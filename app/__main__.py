"""`parley` and `python -m app`."""

import sys


def main() -> int:
    """A command, or (for a running Parley alone) the child that runs the files of `handlers/`."""
    if sys.argv[1:2] == ["--handlers"]:
        from app import handling

        return handling.main(sys.argv[2])
    from app import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
