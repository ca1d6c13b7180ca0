"""TODO docstring."""

from trml.cli.main import main

main()
