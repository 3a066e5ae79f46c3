#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh [KERNEL [OPTION...]]: runs mailbox-bench in the virtual machine, once for each
# of SEEDS by counting instructions and once by the clock, and shows the tables. OPTION
# is for mailbox-bench. The outcome is build/bench/KERNEL.json, its plots are beside it.

. "$(dirname "$0")/common.sh"

kernel=${1:-6.1}
shift || true
: "${SEEDS:=1 2}" "${CLOCK:=yes}"
out=$build/bench
bench=$build/tools/mailbox-bench

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

# run NAME OPTION...: leaves the report in $work/NAME.json
run()
{
	local name=$1
	shift

	printf 'MODE=bench\nBENCH="%s"\n' "$*" >"$work/initramfs.settings"
	"$vm/initramfs.sh" "$work/initramfs" "$module"
	"$vm/boot.sh" "$folder" "$work/initramfs" "$work/console" "$work/$name.json" \
		</dev/null >&2
	if ! [ -s "$work/$name.json" ]; then
		tail -n 20 "$work/console" >&2
		die "the machine ended without a report"
	fi
}

folder=$("$vm/kernel.sh" "$kernel")
build_all
work=$(mktemp -d "$out/$kernel-XXXXXX")
reports=()
for seed in $SEEDS; do
	say "${bold}Linux ${folder##*/}, seed $seed$plain"
	SEED=$seed run "seed-$seed" --unit=instructions "--name=seed-$seed" "$@"
	reports+=("$work/seed-$seed.json")
done
if [ "$CLOCK" = yes ]; then
	say "${bold}Linux ${folder##*/}, by the clock$plain"
	ACCEL=tcg,thread=multi run clock --noisy --name=clock "$@"
	reports+=("$work/clock.json")
fi

"$bench" --json="$out/$kernel.json" "${reports[@]}"
[ "$quick" ] || "$top/tools/bench/plot.sh" "$out/$kernel.json" "$out/$kernel"
say "${out#"$top"/}/$kernel.json"
