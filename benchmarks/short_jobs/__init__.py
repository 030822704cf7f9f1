"""Parts of `benchmarks/throughput.py`."""
