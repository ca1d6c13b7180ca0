"""Turn scores and claims into tables, figures and one page (`trml report`, `trml publish`)."""
