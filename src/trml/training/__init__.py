"""Train cells as stacks under torch.vmap and keep their predictions (`trml train`, work/cells, work/blocks).

`worker` trains the cells of a block, `trainer` groups them into stacks, `stack_run` runs one stack, and `reference` is
the plain loop that a stack must equal byte for byte. `contract` describes the cell store.
"""
