"""CMU-MOSI and CMU-MOSEI from their raw layouts: label files (.csd), transcripts and clips."""
