"""Pages and CSV files as Arrow batches, Parquet files and data frames: typed by the specs, nothing lost.

For other rooms: `page_batches.reading` and `raw_pages.decode_raw_page` for lists, `csv.CsvRows` and
`csv_batches.CsvFile` for exports, `parquet` and `whole_file` for files, `frames` for data frames.

What a cell holds is decided in one place each: by `arrow.Columns` for models and by `csv.CsvFormat` for CSV cells.
`json_columns` and `text_columns` are faster ways to the same cells; what they might read differently, they refuse.
"""
