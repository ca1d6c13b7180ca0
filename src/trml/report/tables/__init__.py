"""Tables, one per file. Each file has `tables(data)`, which returns its tables of an experiment."""
