"""Start the bundled program: the window, or the command line when there are arguments."""

import sys

from uniem.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
