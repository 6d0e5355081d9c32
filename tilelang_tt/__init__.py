"""TileLang programs on Tenstorrent chips.

Importing this package registers the target "tenstorrent" with TileLang; nothing else has to be
configured.
"""

import tilelang as _tilelang  # noqa: F401  puts TileLang's own TVM on the import path

from tilelang_tt import backend as _backend
from tilelang_tt.api import (
    artifact,
    dataflow,
    profile,
    report,
    run_saved,
    save,
    schedule_plot,
    wavefronts,
    workload,
)
from tilelang_tt.version import __version__

_backend.register()

__all__ = [
    "__version__",
    "artifact",
    "dataflow",
    "profile",
    "report",
    "run_saved",
    "save",
    "schedule_plot",
    "wavefronts",
    "workload",
]
