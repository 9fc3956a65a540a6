"""`parley` and `python -m app`."""

import sys


def main() -> int:
    """The command line; or, started by Parley itself, a process of its own that needs little: a linked device, or what
    runs the files of `handlers/`."""
    if sys.argv[1:] == ["linked-device"]:
        from app.connectors.whatsapp_web import child

        return child.main()
    if sys.argv[1:2] == ["handler-files"]:
        from app import handling

        return handling.main(sys.argv[2])
    from app import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
