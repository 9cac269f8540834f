"""``python -m handler.cli``, for where the command is not installed."""

from handler.cli import main

main()
