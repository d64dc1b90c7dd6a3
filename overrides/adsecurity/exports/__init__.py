"""Exports: the job that runs at the server, the download of its file, and what becomes of the file here.

From outside: the jobs, and the functions that start and resume them.
"""
