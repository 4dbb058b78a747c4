"""Tests mirror the code; `simulator` is Discord on one machine."""
