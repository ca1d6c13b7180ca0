"""The claims, one a file.

Each file has `claim(evaluation, proposed)`, which returns a judged Claim; one without comparisons is left out. A file
of the same form in an extension package (`trml_x/evaluation/claims/`) adds its claim everywhere.
"""
