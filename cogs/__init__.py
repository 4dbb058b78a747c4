"""One file or package per feature: each receives commands and clicks and hands them to services."""
