"""Models and CSV rows as Arrow batches and Parquet files.

From outside: `arrow.reading` and its async form, `parquet.writing`, `csv.CsvRows`, `whole_file`.
"""
