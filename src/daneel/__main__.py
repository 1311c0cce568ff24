"""`python -m daneel`."""

from daneel.cli import main

main()
