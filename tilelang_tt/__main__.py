"""`python -m tilelang_tt` is the command line."""

from tilelang_tt.cli import main

raise SystemExit(main())
