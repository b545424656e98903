"""Let bioimage.io's own libraries judge packages; runs in the environment of `make peers`.

    python judge_packages.py CHECK.py RESULT.json PACKAGE...

CHECK.py is our module that asks them, which needs nothing else of ours.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    found = importlib.util.spec_from_file_location("package_check", sys.argv[1])
    if found is None or found.loader is None:
        raise SystemExit(f"{sys.argv[1]} is no module")
    check = importlib.util.module_from_spec(found)
    found.loader.exec_module(check)
    verdicts = {Path(name).name: check.judge_package(Path(name)) for name in sys.argv[3:]}
    Path(sys.argv[2]).write_text(json.dumps(verdicts))
