"""The tables, one a file. Each file has `tables(data)`, those that it makes of an experiment."""
