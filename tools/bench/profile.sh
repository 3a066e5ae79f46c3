#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# profile.sh [KERNEL [PEER [BYTES [MEASUREMENT]]]]: how many instructions each function
# takes for one message, counted by a plugin of the emulator. "profile.sh 6.1 SysV 8",
# "profile.sh 6.1 pipe 64 stream".

. "$(dirname "$0")/../../selftests/vm/common.sh"

kernel=${1:-6.1} peer=${2:-mailbox} bytes=${3:-64} measure=${4:-pair}

mkdir -p "$build"
exec 8>"$build/.lock"
flock 8
if ! { make -s -C "$top" tools &&
       module=$("$vm/module.sh" "$kernel"); } >"$build/build.log" 2>&1; then
	cat "$build/build.log" >&2
	die "the build failed"
fi
work=$(mktemp -d "$build/profile-XXXXXX")
trap 'rm -rf "$work"' EXIT
printf 'MODE=profile\nBENCH="--size=%s --only=%s" PEER="%s"\n' "$bytes" "$measure" "$peer" >"$work/initramfs.settings"
"$vm/initramfs.sh" "$work/initramfs" "$module"
flock -u 8

SEED=1 PLUGIN=$build/tools/profile-plugin.so,out=$work/counts \
	"$vm/boot.sh" "$("$vm/kernel.sh" "$kernel")" "$work/initramfs" "$work/console" \
	"$work/symbols" </dev/null >&2
[ -s "$work/counts" ] || { tail -n 20 "$work/console" >&2; die "nothing was counted"; }

cost=$(tr -d '\r' <"$work/symbols" | sed -n 's/^cost //p')

# Where the program has its functions, the kernel and the module have none.
nm "$build/tools/mailbox-bench" | grep -i ' t ' >"$work/program"

# Counts and symbols by address, merged: each count belongs to the last symbol before it.
{
	tr -d '\r' <"$work/symbols" | awk '$2 ~ /[tT]/ { print $1, "s", $3 $4 }'
	awk '{ print $1, "s", $3 "[program]" }' "$work/program"
	awk '{ print $1, "~", $2 }' "$work/counts"
} | LC_ALL=C sort -k1,2 | awk -v cost="$cost" -v what="$peer, $bytes, $measure" '
	$2 == "s" { symbol = $3; next }
	{ of[symbol] += $3; sum += $3 }
	symbol ~ /\[mailbox\]/ { module += $3 }
	symbol ~ /\[program\]/ { program += $3 }
	END {
		# Under this clock an instruction is a nanosecond.
		pairs = sum / cost
		printf "%s: %.1f instructions for one message:\n", what, cost
		printf "%.1f of the module, %.1f of the kernel, %.1f of the program\n",
			module / pairs, (sum - module - program) / pairs, program / pairs
		for (symbol in of)
			if (of[symbol] / pairs >= 0.05)
				printf "%9.1f  %s\n", of[symbol] / pairs, symbol | "sort -k1,1nr -k2"
	}'
