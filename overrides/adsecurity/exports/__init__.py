"""Exports: the job that runs at the server, the download of its file, and its conversion to tables.

For other rooms: the jobs of `job`, and the functions there that start and resume them.
"""
