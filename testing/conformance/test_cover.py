"""Kernels that say nothing new are left out."""

from conformance.cover import covering
from conformance.kernel import KernelSource

HEADERS = '#include "a.h"\n', '#include "a.h"\n#include "b.h"\n'


def kernel(source, role="compute"):
    return KernelSource(role, "k", source)


def check(kernels, kept):
    assert covering(kernels) == [kernels[at] for at in kept]


def test_numbers_and_names_are_alike():
    check([kernel("f(a, 0x1F);"), kernel("f(b, 7);"), kernel("  f(c, 1.5e3);  // so")], [0])


def test_arithmetic_is_alike():
    check([kernel("f(a + 2 * b);"), kernel("f(c - 1);"), kernel("f(c);")], [0, 2])
    nested = "f(floor_div(a + 1, 2) * (b + std::min<int32_t>(c, 4)));"
    other = "f(std::min<int32_t>(floor_div(a, b), 3) - 1);"
    check([kernel(nested), kernel(other)], [0])


def test_what_is_compared_is_not_called():
    check([kernel("while (i < f(a)) {"), kernel("while (k < f(b)) {")], [0])


def test_two_names_are_not_one():
    check([kernel("f(a, a);"), kernel("f(b, c);"), kernel("f(c, b);")], [0, 1])


def test_what_is_called_is_told_apart():
    check([kernel("f(a);"), kernel("g(a);"), kernel("f<x>(a);"), kernel("g(b);")], [0, 1, 2])


def test_each_call_is_seen_with_the_fewest_headers():
    check([kernel(HEADERS[1] + "f(a);\ng(a);"), kernel(HEADERS[0] + "f(b);")], [0, 1])


def test_one_kernel_with_every_line_is_enough():
    sources = ["f(a);\ng(a);", "f(a + 1);\ng(a);", "g(a + 1);", "f(a + 2);\ng(a + 3);"]
    check([kernel(source) for source in sources], [0, 3])


def test_roles_are_apart():
    check([kernel("f(a);"), kernel("f(a);", "reader"), kernel("f(b);", "reader")], [0, 1])
