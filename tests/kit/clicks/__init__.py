"""Tests of the click stream."""
