#!/usr/bin/env bash
# The mock's tests with an engine that address and undefined-behaviour sanitizers watch (g++ only).
# Arguments are pytest's, testing/mock by default; PYTHON is the environment's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CXX=g++ TILELANG_TT_TEST_CXX=g++
export TILELANG_TT_ENGINE_FLAGS="-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all"
LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
# Python keeps memory until it ends; fibers are stacks that the sanitizer did not make.
ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:verify_asan_link_order=0
UBSAN_OPTIONS=print_stacktrace=1
exec env LD_PRELOAD="$LD_PRELOAD" ASAN_OPTIONS="$ASAN_OPTIONS" UBSAN_OPTIONS="$UBSAN_OPTIONS" \
  "${PYTHON:-python3}" -m pytest -q "${@:-testing/mock}"
