"""One time range read by several workers: the range cut into windows, and the workers that read them.

From outside: `run.Run` with its `check`, and the sources in `workers`.
"""
