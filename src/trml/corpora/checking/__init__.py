"""Check a folder of data before a run (`trml check`): which corpus it is, what is wrong, which command comes next."""
