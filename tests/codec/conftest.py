from __future__ import annotations

from tests.support.demo.fixtures import _clean_environment as _clean_environment
from tests.support.demo.fixtures import driver as driver
from tests.support.demo.fixtures import second_server as second_server
from tests.support.demo.fixtures import server as server
