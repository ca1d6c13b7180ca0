#!/bin/sh
# Snakemake starts the command that cancels without a shell, so it has no arguments of its own.
exec "$(dirname "$0")/job.py" cancel "$@"
