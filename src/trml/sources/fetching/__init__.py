"""Download raw files: accepted terms, mirrors, resumed transfers, and a lock file of checksums."""
