"""Discord on one machine: what the tests, the benchmarks and the demo run against."""
