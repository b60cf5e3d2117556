"""One Hypothesis profile for all tests: the same examples each time, however busy the machine is.

``ARCHDSL_LONG=1 pytest`` draws other examples each time, and more of them where a property takes little time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(name, None)  # what is printed does not depend on the terminal of the tests

settings.register_profile(
    "archdsl",
    deadline=None,
    derandomize=not os.environ.get("ARCHDSL_LONG"),
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("archdsl")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-weight",
        action="store_true",
        help="tests/zoo: also make, compare and run the weights of the large members of families (an hour, 16 GB)",
    )
