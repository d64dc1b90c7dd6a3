"""One time range read by several workers: the range cut into windows, and the workers that read them.

From outside: `run.WindowedRead` with its `check`, the sources in `workers`, and `spans` for workers in other processes.
"""
