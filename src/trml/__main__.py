"""Run the command as `python -m trml`."""

from trml.cli.main import main

main()
