"""Write the pages of docs/ that are made from the code: `./dev docs`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # the tests are no part of the installed package

from testing.mock import numerics_table  # noqa: E402
from testing.mock.faults import results as faults  # noqa: E402
from testing.mock_validation import results as validation  # noqa: E402
from tilelang_tt import diagnostics, pipeline  # noqa: E402
from tilelang_tt.ir import verify  # noqa: E402
from tilelang_tt.options import Options  # noqa: E402
from tilelang_tt.transforms import deliver_scalars, split_kernels, split_launches  # noqa: E402

_NOTE = "<!-- Written by docs/generate.py; edit the code it comes from. -->"


def errors() -> Iterator[str]:
    """Every diagnostic with its code, text and hint."""
    yield _NOTE
    yield "# Errors\n"
    yield "Each error has a stable code. A `CompileError` ends with the line of your program."
    yield "Words in braces are filled in when the error is raised.\n"
    yield "| code | class | message | what to do |"
    yield "| --- | --- | --- | --- |"
    for cls in diagnostics.catalogue():
        message = cls.message.replace("\n", " ").replace("|", "\\|")
        hint = cls.hint.replace("|", "\\|")
        yield f"| {cls.code} | `{cls.__name__}` | {message} | {hint} |"


def passes() -> Iterator[str]:
    """The pipeline, pass by pass, from its docstrings."""
    yield _NOTE
    yield "# Passes\n"
    yield "In order. After each stage a verifier checks what the stage promises (`ir/verify.py`).\n"
    yield _function(split_launches)
    steps = [*pipeline.tile_program(Options()), *pipeline.streams(Options())]
    yield from _sections(steps)
    yield _function(split_kernels)
    yield _function(deliver_scalars)
    for role, own in pipeline.KERNELS.items():
        if own:
            yield f"# On the {role} kernel\n"
            yield from _sections(own)
    yield "# On every kernel\n"
    yield from _sections(pipeline.FINISH)


def mock_numerics() -> Iterator[str]:
    """How near the mock's operations come to torch's, measured now."""
    yield _NOTE
    yield from numerics_table.table()


def _sections(steps: object) -> Iterator[str]:
    for step in steps:  # pyright: ignore[reportGeneralTypeIssues]
        if isinstance(step, verify.Stage):
            yield f"**Stage: {step.name}.**\n"
        elif type(step).__module__.startswith("tilelang_tt."):
            text = _text(inspect.getdoc(sys.modules[type(step).__module__]))
            yield f"## `{type(step).__name__}`\n\n{text}\n"
        else:
            yield f"## `{step.info.name}`\n\nTileLang's own pass.\n"


def _function(module: ModuleType) -> str:
    name = module.__name__.rpartition(".")[2]
    return f"## `{name}`\n\n{_text(inspect.getdoc(module))}\n"


def _text(docstring: str | None) -> str:
    """A module docstring as Markdown: what is indented by four is code already."""
    assert docstring is not None
    return (
        docstring.replace("\nNeeds:", "\n- Needs:")
        .replace("\nLeaves:", "\n- Leaves:")
        .replace("\nErrors:", "\n- Errors:")
    )


def mock_validation() -> Iterator[str]:
    """Kernels of ttnn's wheel on the mock."""
    yield _NOTE
    yield from validation.page()


def fault_matrix() -> Iterator[str]:
    """Each protocol call changed, and what the mock says."""
    yield _NOTE
    yield from faults.page()


PAGES = {
    "errors.md": errors,
    "passes.md": passes,
    "mock-numerics.md": mock_numerics,
    "fault-matrix.md": fault_matrix,
    "mock-validation.md": mock_validation,
}


def render(name: str) -> str:
    """The text of one page."""
    return "\n".join(PAGES[name]()) + "\n"


if __name__ == "__main__":
    for page in PAGES:
        (HERE / page).write_text(render(page))
        print(f"docs/{page}")
