"""Photograph every page of the console, light and dark, on a desk and on a phone, into artifacts/screens."""

from __future__ import annotations

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "tests/console/test_pages.py", *sys.argv[1:]]))
