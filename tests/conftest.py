"""Options of the whole suite."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run the gates with a larger budget, as CI does")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="a larger budget of a gate that also runs here: CI runs it with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
