"""Our specs, read and looked up: sources with their lines, references, names, and the methods that operations become.

All modules may be used by the other rooms; this one knows none of them but `runtime`, whose descriptors it fills.
"""
