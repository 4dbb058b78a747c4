"""What the bot promises, measured on this machine and printed beside its target.

A part is an async function registered by `@part`; it returns rows. `scripts/bench` runs all parts,
or those named on the command line, one after the other, each bounded in time.
"""
