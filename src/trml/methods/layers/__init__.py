"""Network parts that methods share. They run under torch.vmap, so none branches on data."""
