"""The entry of the UI."""

from ui.app import main

main()
