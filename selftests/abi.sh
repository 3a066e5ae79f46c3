#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# 32-bit and 64-bit programs must see the same interface.

here=$(dirname "$0")

echo 'TAP version 13'
echo 1..1
for program in abi abi32; do
	if [ ! -x "$here/$program" ]; then
		echo "not ok 1 same_layout"
		echo "# $program is missing"
		exit 1
	fi
done
wide=$("$here/abi") || exit 1
narrow=$("$here/abi32") || exit 1
if [ -n "$wide" ] && [ "$wide" = "$narrow" ]; then
	echo "ok 1 same_layout"
	exit 0
fi
echo "$wide" > "/tmp/abi.$$"
echo "$narrow" | diff "/tmp/abi.$$" - | sed 's/^/# /'
rm -f "/tmp/abi.$$"
echo "not ok 1 same_layout"
exit 1
