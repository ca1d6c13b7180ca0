from trml.cli import main

main()
