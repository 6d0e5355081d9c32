"""Random tile programs, run through the reference interpreter and the mock.

`python -m testing.fuzz --help` runs many; `test_fuzz.py` runs a few in every test run.
"""

import tilelang_tt  # noqa: F401  puts TileLang's own TVM on the import path
