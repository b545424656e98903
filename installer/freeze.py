"""Build the bundle with PyInstaller, and try it.

Run by `make freeze`, under a display. `--only-test` tries the bundle that `dist/uniem` holds already.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from try_bundle import try_bundle

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "dist" / "uniem"
# Libraries whose symbols are an eighth of the bundle. Never those of NumPy, SciPy and OpenCV: the OpenBLAS in
# them was patched after linking, and that of NumPy does not load once stripped.
STRIPPED = ("tensorflow", "tensorstore", "vtkmodules", "cc3d", "zmesh", "libpython", "edt.", "fastremap")


def build() -> None:
    """Run PyInstaller on the specification."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", "pyinstaller.spec"]
    # Collecting imports everything there is, and libraries say a lot then: it is shown when it matters.
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\nPyInstaller ended with {done.returncode}.")


def strip() -> None:
    """Take the symbols out of the largest libraries, where the system has a tool for it."""
    program = shutil.which("strip")
    if not sys.platform.startswith("linux") or program is None:
        print("bundle: not stripped, for want of `strip`")
        return
    inside = BUNDLE / "_internal"
    files = [
        str(file)
        for file in inside.rglob("*.so*")
        if str(file.relative_to(inside)).startswith(STRIPPED) and file.is_file() and not file.is_symlink()
    ]
    subprocess.run([program, "--strip-all", *files], check=True)


def size_of(folder: Path) -> int:
    """Return the bytes that the files in a folder hold."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def print_sizes() -> None:
    """Print how large the bundle is, and its largest parts."""
    parts = {folder.name: size_of(folder) for folder in (BUNDLE / "_internal").iterdir() if folder.is_dir()}
    largest = sorted(parts, key=lambda name: -parts[name])[:6]
    told = ", ".join(f"{name} {parts[name] / 1e6:.0f}" for name in largest)
    print(f"bundle: {size_of(BUNDLE) / 1e6:.0f} MB in {BUNDLE.relative_to(ROOT)} ({told})")


def main() -> None:
    """Build and try."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--only-test", action="store_true", help="try the bundle that is there")
    began = time.monotonic()
    if not reader.parse_args().only_test:
        print("bundle: building, which takes some minutes", flush=True)
        build()
        strip()
        print(f"bundle: built in {time.monotonic() - began:.0f} s")
    print_sizes()
    began = time.monotonic()
    try_bundle(BUNDLE)
    print(f"bundle: tried in {time.monotonic() - began:.0f} s; it works")


if __name__ == "__main__":
    main()
