"""Reads our specs: sources with line numbers, references, Python names, and the methods that operations become.

Other rooms may use all modules. This room uses only `runtime`, whose descriptors it fills.
"""
