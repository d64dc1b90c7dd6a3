"""One time range read by several workers: the range cut into windows, and the workers that read them.

From outside: `run.WindowedRead` with its `check`, and the sources in `workers`.
"""
