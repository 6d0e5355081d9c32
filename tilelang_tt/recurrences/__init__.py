"""A program as a system of recurrences over index spaces: dependences, schedules, times, drawings.

Works on the statements of a plan; the compiler's `analysis/schedule.py` makes them.
"""
