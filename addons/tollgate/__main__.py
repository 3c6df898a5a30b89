"""`tollgate`, or `python -m tollgate`."""

from tollgate.cli import app


def main() -> None:
    app()


if __name__ == "__main__":
    main()
