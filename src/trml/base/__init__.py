"""Tools without a domain: they know no other package and produce no number of a result."""
