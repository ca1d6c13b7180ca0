"""Files to tables, figures and one page: `trml report` and `trml publish`."""
