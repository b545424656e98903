"""`uniem networks` lists every network with its cost, without starting Keras."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from uniem.cli import main
from uniem.networks.architectures import networks


def test_the_list_as_json_is_quick_and_complete() -> None:
    code = (
        "import sys; from uniem.cli import main; status = main(['networks', '--json']); "
        "assert not {'keras', 'tensorflow'} & set(sys.modules); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    listed = {row["kind"]: row for row in json.loads(done.stdout)}
    assert list(listed) == list(networks())
    row = listed["em-net-v1-2x"]
    assert (row["title"], row["parameters"], row["gflop"]) == ("EM-net V1 2X", 7_013_261, 141.64)
    assert (row["gflop_input"], row["defaults"]["base_features"]) == ([1, 512, 512, 1], 16)
    assert all(row["advice"] and row["receptive_field"] > row["stride"] for row in listed.values())


def test_the_list_as_text_says_when_to_choose_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks"]) == 0
    text = capsys.readouterr().out
    for kind, network in networks().items():
        assert f"\n{kind}" in text and network.title in text
    assert "Few painted sections: EM-net V1 2X" in text
    assert max(map(len, text.splitlines())) <= 110


def test_a_flag_it_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "--jsn"]) == 2
    assert "--json" in capsys.readouterr().err
