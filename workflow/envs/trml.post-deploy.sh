#!/usr/bin/env bash
# Snakemake runs this in the environment that conda has made of trml.yaml: put this checkout's source on its path, as an
# editable install does, and check what cannot be pinned. Needs no network and builds nothing.
set -euo pipefail
packages=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "${TRML_SOURCE:?is set by the Snakefile; run: snakemake --cores all --use-conda}" > "$packages/trml.pth"
python -c 'import trml'
python -c 'import av; av.Codec("libx264", "w")' || {
  echo "FFmpeg of this environment cannot write H.264; expected the build that trml.yaml asks for, ffmpeg=*=gpl*" >&2
  exit 1
}
