"""Tests of the embedded audio node."""
