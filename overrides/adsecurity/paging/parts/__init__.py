"""One range written into many Parquet files, by several processes. Internal; the public classes are in the package
above.
"""
