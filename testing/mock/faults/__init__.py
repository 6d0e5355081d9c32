"""Fault injection: good kernels, changed in one protocol call at a time, and what the mock says.

`subjects` are the good programs, `mutate` the changes, `expected` the diagnosis that each kind of
change must get or the reason why it changes nothing, `run` the runner. `python -m
testing.mock.faults` runs all of them and writes `results.json`, from which the page of docs/ is
made.
"""
