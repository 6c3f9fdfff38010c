"""`python -m lifecycle.cli`: the command without an installed script."""

from lifecycle.cli.main import main

main()
