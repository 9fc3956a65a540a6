"""`parley` and `python -m app`."""

import sys


def main() -> int:
    """The command line; or, started by Parley itself, a linked device in a process of its own, which needs little."""
    if sys.argv[1:] == ["linked-device"]:
        from app.connectors.whatsapp_web import child

        return child.main()
    from app import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
