#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench-hosts.sh [KERNEL]: measures messages between hosts, all in one virtual machine, by
# selftests/bridge/measure.sh, and shows the tables. MEASURE=quick does few. The outcome is
# build/bench/hosts-KERNEL.json, a line for each measurement, and plots beside it.

. "$(dirname "$0")/common.sh"

kernel=${1:-6.1}
out=$build/bench
result=$out/hosts-$kernel

work=
clean_up()
{
	[ -z "$work" ] || rm -rf "$work"
}
trap clean_up EXIT

mkdir -p "$out"
folder=$("$vm/kernel.sh" "$kernel")
exec 8>"$build/.lock"
flock 8
if ! { make -s -C "$top" tools && module=$("$vm/module.sh" "$kernel"); } \
	>"$build/build.log" 2>&1; then
	cat "$build/build.log" >&2
	die "the build failed"
fi
work=$(mktemp -d "$out/$kernel-XXXXXX")
printf 'MODE=measure-hosts\nMEASURE=%s\n' "${MEASURE:-}" >"$work/initramfs.settings"
"$vm/initramfs.sh" "$work/initramfs" "$module"
add_hosts "$folder" "$work"
flock -u 8

say "${bold}Linux ${folder##*/}$plain"
MEMORY=3072 "$vm/boot.sh" "$folder" "$work/initramfs" "$work/console" "$work/result" </dev/null >&2
grep '^{' "$work/result" | tr -d '\r' >"$result.json" || true
# The last line says that all went well. What was measured before is good all the same.
if [ "$(tail -n 1 "$work/result" | tr -d '\r')" != 0 ]; then
	tail -n 20 "$work/console" >&2
	die "the measurements failed; those before are in ${result#"$top"/}.json"
fi
"$build/tools/bridge-measure" --tables "$result.json"
"$top/tools/bridge/measure/plot.sh" "$result.json" "$result"
say "${result#"$top"/}.json"
