"""The figures, one a file. Each file has `figures(data)`, which yields those that it draws of an experiment."""
