"""Named instances, peers side by side, recorded results: ``python -m benchmarks``."""
