"""Functions of at most 40 lines of code, modules of at most 300 lines: the tail is what hurts a reader."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "rejoinder"
FUNCTION_LINES = 40
MODULE_LINES = 300

# What may be longer, and why: "flow/submit.py" or "flow/submit.py:Submission.check" → a sentence.
EXCEPTIONS: dict[str, str] = {}

SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def lines_with_code(source: str) -> set[int]:
    """The numbers of the lines that hold more than blanks and comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        line
        for token in tokens
        if token.type not in SILENT
        for line in range(token.start[0], token.end[0] + 1)
    }


def functions(node: ast.AST, name: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function below `node` with its dotted name, those in classes and in functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            dotted = f"{name}.{child.name}".lstrip(".")
            if not isinstance(child, ast.ClassDef):
                yield dotted, child
            yield from functions(child, dotted)
        else:
            yield from functions(child, name)


def docstring_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> range:
    if ast.get_docstring(function, clean=False) is None:
        return range(0)
    first = function.body[0]
    return range(first.lineno, (first.end_lineno or first.lineno) + 1)


def too_long(file: str, source: str) -> dict[str, int]:
    """What of a module is over its limit: name → lines; a function's docstring and comments don't count."""
    found = {}
    if source.count("\n") > MODULE_LINES:
        found[file] = source.count("\n")
    code = lines_with_code(source)
    for name, function in functions(ast.parse(source)):
        own = set(range(function.lineno, (function.end_lineno or function.lineno) + 1))
        length = len((own & code) - set(docstring_lines(function)))
        if length > FUNCTION_LINES:
            found[f"{file}:{name}"] = length
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, int]:
    result: dict[str, int] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        result |= too_long(file.relative_to(SOURCE).as_posix(), file.read_text())
    return result


def test_nothing_is_too_long_but_what_has_a_reason(found: dict[str, int]) -> None:
    assert {name: lines for name, lines in found.items() if name not in EXCEPTIONS} == {}


def test_no_exception_outlives_its_need(found: dict[str, int]) -> None:
    assert set(EXCEPTIONS) - set(found) == set()


def test_a_long_method_is_found_and_its_docstring_and_comments_do_not_count() -> None:
    def module(statements: int) -> str:
        head = 'class A:\n    def b(self):\n        """One.\n\n        Two.\n        """\n        # Why.\n\n'
        return head + "        c = 1\n" * statements

    assert too_long("m.py", module(FUNCTION_LINES - 1)) == {}
    assert too_long("m.py", module(FUNCTION_LINES)) == {"m.py:A.b": FUNCTION_LINES + 1}


def test_a_long_module_is_found() -> None:
    assert too_long("m.py", "a = 1\n" * MODULE_LINES) == {}
    assert too_long("m.py", "a = 1\n" * (MODULE_LINES + 1)) == {"m.py": MODULE_LINES + 1}
