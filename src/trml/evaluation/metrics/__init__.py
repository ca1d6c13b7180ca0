"""The metrics, one family a file.

Each file has `metrics(task, classes)`, which returns its metrics for a task, none where they do not apply. A file of
the same form in an extension package (`trml_x/evaluation/metrics/`) adds its metrics everywhere.
"""
