#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh [KERNEL [OPTION...]]: runs mailbox-bench in the virtual machine, once for each
# of SEEDS by counting instructions and once by the clock, and shows the tables. OPTION
# is for mailbox-bench; CLOCK=no leaves the last one out. The outcome is
# build/bench/KERNEL.json, and plots beside it.

. "$(dirname "$0")/common.sh"

kernel=${1:-6.1}
shift || true
: "${SEEDS:=1 2}" "${CLOCK:=yes}"
out=$build/bench
bench=$build/tools/mailbox-bench

# One run is enough to see what a change has done.
quick=
case " $* " in
*" --quick "* | *" -q "*) quick=yes CLOCK=no SEEDS=${SEEDS%% *} ;;
esac

work=
clean_up()
{
	[ -z "$work" ] || rm -rf "$work"
}
trap clean_up EXIT

build_all()
{
	local log=$build/build.log

	mkdir -p "$out"
	exec 8>"$build/.lock"
	flock 8
	if ! { make -s -C "$top" tools && module=$("$vm/module.sh" "$kernel"); } >"$log" 2>&1; then
		cat "$log" >&2
		die "the build failed"
	fi
}

# pack NAME OPTION...: the file system of one run
pack()
{
	local name=$1
	shift

	printf 'MODE=bench\nBENCH="%s"\n' "--name=$name $*" >"$work/$name.settings"
	"$vm/initramfs.sh" "$work/$name" "$module"
}

# run NAME: leaves its report in $work/NAME.json
run()
{
	say "${bold}Linux ${folder##*/}, $1$plain"
	"$vm/boot.sh" "$folder" "$work/$1" "$work/$1.console" "$work/$1.json" </dev/null >&2
	if ! [ -s "$work/$1.json" ]; then
		tail -n 20 "$work/$1.console" >&2
		die "the machine ended without a report"
	fi
	reports+=("$work/$1.json")
}

folder=$("$vm/kernel.sh" "$kernel")
build_all
work=$(mktemp -d "$out/$kernel-XXXXXX")
for seed in $SEEDS; do
	pack "seed-$seed" --unit=instructions "$@"
done
[ "$CLOCK" = no ] || pack clock --noisy "$@"
flock -u 8

reports=()
for seed in $SEEDS; do
	SEED=$seed run "seed-$seed"
done
[ "$CLOCK" = no ] || ACCEL=tcg,thread=multi run clock

"$bench" --json="$out/$kernel.json" "${reports[@]}"
[ "$quick" ] || "$top/tools/bench/plot.sh" "$out/$kernel.json" "$out/$kernel"
say "${out#"$top"/}/$kernel.json"
