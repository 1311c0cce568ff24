"""What `import daneel` offers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import daneel


def test_every_public_name_is_there():
    assert daneel.__all__ == ["pipeline"]
    assert all(callable(getattr(daneel, name)) for name in daneel.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Pipeline"):
        _ = daneel.Pipeline


def test_the_version_is_that_of_the_package():
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^version = "(.*)"$', project, re.M)[1] == daneel.__version__


def test_importing_loads_no_torch():
    code = "import sys, daneel; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
