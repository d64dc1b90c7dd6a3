"""Logic that is written once for sync and async: flows yield steps, drivers perform them.

From outside: the steps, the drivers, the threads and tasks of `background`, and `extras.require`.
"""
