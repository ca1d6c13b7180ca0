"""Tools without a domain. They know no other package and produce no number of a result."""
