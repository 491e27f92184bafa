"""The bench: every figure of docs/benchmarks.md, measured by one command (``python -m bench``).

The server under test has one core, the loader another; figures that are compared are taken turn by turn in one run.
"""
