"""Every speed goal measured against its peers, in one run: `make bench`, or `python -m tests.bench`."""
