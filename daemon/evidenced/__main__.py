"""The command `evidenced`, also as `python -m evidenced`."""

import sys

from evidenced.cli.main import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
