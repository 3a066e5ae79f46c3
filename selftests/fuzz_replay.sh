#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs what the fuzzer has kept, once: see Documentation/fuzzing.rst.
exec "${0%/*}/fuzz/fuzz" replay "${0%/*}/fuzz/corpus"
