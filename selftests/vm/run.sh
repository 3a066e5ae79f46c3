#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh test [KERNEL...] | demo [KERNEL] | demo-hosts [KERNEL] | shell [KERNEL] | fuzz [KERNEL]: builds what
# is needed, boots the virtual machine and takes its verdict. TESTS names the test programs to
# run, all if empty. MAILBOX_SEED and MAILBOX_OPS reach those tests that know them. COVERAGE
# is a file for what the kernel counted, see selftests/coverage/coverage.sh.

. "$(dirname "$0")/common.sh"
. "$vm/report.sh"

if [ -t 1 ] || [ "${COLOUR:-}" ]; then
	bold_out=$'\e[1m' red_out=$'\e[31m' green_out=$'\e[32m' plain_out=$'\e[0m'
else
	bold_out='' red_out='' green_out='' plain_out=''
fi

# Seconds without a word from the machine until it counts as hung: longer than any
# single test may take.
patience=120
longest=$(sed -n 's/^[^# ]* TIMEOUT=//p' "$top/selftests/settings" 2>/dev/null | sort -n | tail -n 1)
patience=$((patience + (${longest:-0} > 300 ? longest : 300)))

virtual_machine='' work='' dispatcher='' all=''
clean_up()
{
	[ -z "$dispatcher" ] || kill -TERM "$dispatcher" 2>/dev/null || true
	[ -z "$virtual_machine" ] || kill -KILL "$virtual_machine" 2>/dev/null || true
	[ -z "$work" ] || rm -f "$work"/initramfs*
	[ -z "$all" ] || rm -rf "$all"
}
trap clean_up EXIT

# Several runs at once may share the build folder, not build in it together.
build_all()
{
	local kernel=$1 log=$build/build.log

	mkdir -p "$build/vm"
	exec 8>"$build/.lock"
	flock 8
	if ! { make -s -j"$(nproc)" -C "$top" programs &&
	       module=$("$vm/module.sh" "$kernel"); } >"$log" 2>&1; then
		cat "$log" >&2
		die "the build failed"
	fi
	work=$(mktemp -d "$build/vm/$kernel-XXXXXX")
}

# The programs of others are for few tests, and much to unpack for all the rest. Those tests are
# not for kernels that look for faults in the module: nothing new would reach it.
# wants NAME-OR-PATTERN MODE KERNEL
wants()
{
	local pattern=$1 name

	[ "$2" = test ] || return
	if [ -z "${TESTS:-}" ]; then
		[ "$3" = "${3%-k?san}" ]
		return
	fi
	for name in $TESTS; do
		# shellcheck disable=SC2254  # it is a pattern
		case $name in $pattern) return ;; esac
	done
	return 1
}

# pack MODE [TREE]: for $kernel.
pack()
{
	settings "$1" >"$work/initramfs.settings"
	"$vm/initramfs.sh" "$work/initramfs" "$module" "${2:-}"
	if wants 'compat_programs*' "$1" "$kernel"; then
		cat "$("$vm/programs.sh" compat)" >>"$work/initramfs"
	fi
	if [ "$1" = demo-hosts ] || wants 'bridge_*' "$1" "$kernel"; then
		add_hosts "$folder" "$work"
	fi
	flock -u 8
}

splats()
{
	complaints "$work/console" | head -n 20
}

# Tests that need neither a kernel nor the module, each a script that prints nested TAP.
without_kernel=(ordering)

# Those that TESTS names, which are taken out of it. Fails when nothing else was asked for.
choose_without_kernel()
{
	local name

	chosen=()
	for name in "${without_kernel[@]}"; do
		case " ${TESTS:-$name} " in
		*" $name "*) chosen+=("$name") ;;
		esac
	done
	[ "${TESTS:-}" ] || return 0
	for name in "${chosen[@]}"; do
		TESTS=" $TESTS "
		TESTS=${TESTS/ $name / }
	done
	TESTS=${TESTS#"${TESTS%%[! ]*}"}
	[ "$TESTS" ]
}

test_without_kernel()
{
	local name

	printf '%s\n' "${bold_out}Without a kernel${plain_out}"
	work=$(mktemp -d "$build/vm/none-XXXXXX")
	for name in "${chosen[@]}"; do
		if ! report "$work/$name" $patience < <("$top/selftests/$name/$name.sh" </dev/null); then
			failed=$((failed + 1))
			failures+=("$name: ended or hung without a verdict")
		fi
	done
	printf '  %s\n' "log: ${work#"$top"/}"
}

# One machine, from its start to its last word.
boot_and_report()
{
	: >"$work/console"
	exec 4< <(exec "$vm/boot.sh" "$folder" "$work/initramfs" "$work/console" </dev/null)
	virtual_machine=$!
	if ! report "$work/tap" $((patience * $(slow))) <&4; then
		failed=$((failed + 1))
		failures+=("${lost_in:-virtual machine}: the machine ended or hung without a verdict")
		say "  the last words of its kernel:"
		tail -n 40 "$work/console" | sed 's/\r$//; s/^/    /' >&2
	fi
	kill -KILL "$virtual_machine" 2>/dev/null || true
	virtual_machine=
	exec 4<&-
}

test_kernel()
{
	local kernel=$1 found again

	build_all "$kernel"
	pack test
	printf '%s\n' "${bold_out}Linux ${folder##*/}${plain_out}"

	boot_and_report
	for again in 1 2; do
		[ ! -s "$work/tap" ] || break
		# The emulator, not the module, which nobody has loaded yet: on a busy host a kernel
		# now and then meets its own code half changed (int3 in sched_clock_*()).
		say "  the machine ended before its first test; it is started again (see" \
			"${work#"$top"/}/console.$again)"
		mv "$work/console" "$work/console.$again"
		failed=0 failures=()
		boot_and_report
	done

	found=$(splats) || true
	if [ "$found" ]; then
		printf '%s\n' "  the kernel complained (test and message):" "$found"
		# The test that ran then was failed for it in the machine, if there was one.
		if [ $failed -eq 0 ]; then
			failed=1
			failures+=("kernel: complained")
		fi
	fi
	[ -z "${COVERAGE:-}" ] || sed -n 's/^# gcda: //p' "$work/tap" >"$COVERAGE"
	rm -f "$work"/initramfs*
	printf '  %s\n' "log: ${work#"$top"/}/{tap,console}"
}

# sum_up WHERE
sum_up()
{
	local line

	for line in "${skips[@]}"; do
		echo "  skipped: $line"
	done
	for line in "${failures[@]}"; do
		echo "  ${red_out}failed:${plain_out} $line"
	done
	echo "  $1: $passed passed, $failed failed, $skipped skipped"
	total_passed=$((total_passed + passed))
	total_failed=$((total_failed + failed))
	total_skipped=$((total_skipped + skipped))
	passed=0 failed=0 skipped=0 failures=() skips=()
}

# How many machines run at the same time: each has two processors, and waits much.
machines()
{
	local most=${MACHINES:-$(nproc)}

	[ "$most" -le 2 ] || most=2
	echo "$most"
}

# What is written to a file is shown until FILE.sum is there. Fails when it never will be.
# show FILE
show()
{
	local shown=0 size alive=yes

	while [ ! -e "$1.sum" ] && [ "$alive" ]; do
		sleep 1
		kill -0 $dispatcher 2>/dev/null || alive=
		[ -e "$1" ] || continue
		size=$(stat -c %s "$1")
		tail -c +$((shown + 1)) "$1" | head -c $((size - shown))
		shown=$size
	done
	[ ! -e "$1" ] || tail -c +$((shown + 1)) "$1"
	[ -e "$1.sum" ]
}

# However it ends, who shows it hears of it.
end_one()
{
	local status=$?

	clean_up
	[ $status -eq 0 ] || total_failed=$((total_failed + 1))
	echo "$total_passed $total_failed $total_skipped" >"$out.sum.new"
	mv "$out.sum.new" "$out.sum"
}

# test-one OUT KERNEL: what a run of several kernels does for each of them.
test_one()
{
	out=$1
	total_passed=0 total_failed=0 total_skipped=0
	trap end_one EXIT
	exec >"$out" 2>&1
	folder=$("$vm/kernel.sh" "$2")
	test_kernel "$2"
	sum_up "${folder##*/}"
}

# Two machines at a time; the words of one do not mix with those of another.
several()
{
	local kernel number=0 one
	local passed_one failed_one skipped_one

	all=$(mktemp -d "$build/vm/run-XXXXXX")
	[ ! -t 1 ] || export COLOUR=yes
	# Downloaded one after the other, before two want the same.
	for kernel; do
		case " $("$vm/build-kernel.sh" --list) " in
		# What it is built with is installed while nobody else asks for packages.
		*" $kernel "*) "$vm/deps.sh" build ;;
		*)	"$vm/kernel.sh" "$kernel" >/dev/null ;;
		esac
	done
	# Kernels of our own are built while the first machines run.
	(for kernel; do
		nice -n 10 "$vm/kernel.sh" "$kernel" >/dev/null 2>&1 </dev/null || true
	done) &
	for kernel; do
		number=$((number + 1))
		printf '%s\n' "$all/$number" "$kernel"
	done | xargs -n 2 -P "$(machines)" "$vm/run.sh" test-one >/dev/null &
	dispatcher=$!
	number=0
	for kernel; do
		number=$((number + 1)) one=$all/$number
		if ! show "$one"; then
			say "the tests of Linux $kernel ended without a word"
			echo "0 1 0" >"$one.sum"
		fi
		read -r passed_one failed_one skipped_one <"$one.sum"
		total_passed=$((total_passed + passed_one))
		total_failed=$((total_failed + failed_one))
		total_skipped=$((total_skipped + skipped_one))
	done
	wait $dispatcher || true
	dispatcher=
}

tests()
{
	local kernel chosen total_passed=0 total_failed=0 total_skipped=0 line

	if [ $# -eq 0 ]; then
		set -- 6.1 6.12
	fi
	mkdir -p "$build/vm"
	choose_without_kernel || set --
	# What the kernel counts is asked of kernels only.
	if [ ${#chosen[@]} -gt 0 ] && [ -z "${COVERAGE:-}" ]; then
		test_without_kernel
		sum_up 'without a kernel'
	fi
	if [ $# -gt 1 ] && [ -z "${COVERAGE:-}" ]; then
		several "$@"
	else
		for kernel; do
			folder=$("$vm/kernel.sh" "$kernel")
			test_kernel "$kernel"
			sum_up "${folder##*/}"
		done
	fi
	echo
	line="$total_passed passed, $total_failed failed"
	[ $total_skipped -eq 0 ] || line+=", $total_skipped skipped"
	echo "$line"
	[ $total_failed -eq 0 ] && [ $total_passed -gt 0 ]
}

# demo demo | demo-hosts [KERNEL]
demo()
{
	local mode=$1 kernel=${2:-6.1} tree status

	folder=$("$vm/kernel.sh" "$kernel")
	# The common headers of all architectures: a real tree of some thousand files.
	tree=$folder/build/source/include
	[ -d "$tree" ] || tree=$(cd "$folder"/usr/src/linux-headers-*-common*/include && pwd -P)
	build_all "$kernel"
	pack "$mode" "$tree"
	"$vm/boot.sh" "$folder" "$work/initramfs" "$work/console" "$work/verdict" </dev/null
	rm -f "$work"/initramfs*

	status=$(tail -n 1 "$work/verdict" | tr -d '\r')
	splats >&2 && die "the kernel complained; see ${work#"$top"/}/console"
	[ "$status" ] || die "the machine ended without a verdict; see ${work#"$top"/}/console"
	return "$status"
}

shell()
{
	local kernel=${1:-6.1}

	folder=$("$vm/kernel.sh" "$kernel")
	build_all "$kernel"
	pack shell
	say "booting Linux ${folder##*/}"
	"$vm/boot.sh" "$folder" "$work/initramfs" "$work/console"
	rm -f "$work"/initramfs*
}

# Standard output is what the fuzzer says; FUZZ are its arguments, and the machine has
# FUZZ_TIMEOUT seconds.
fuzz()
{
	local kernel=${1:-6.1-um} found

	folder=$("$vm/kernel.sh" "$kernel")
	build_all "$kernel"
	pack fuzz
	say "fuzzing Linux ${folder##*/}"
	timeout --foreground -s KILL "$FUZZ_TIMEOUT" \
		"$vm/boot.sh" "$folder" "$work/initramfs" "$work/console" </dev/null || true
	rm -f "$work"/initramfs*
	echo "log ${work#"$top"/}/console"
	found=$(splats) || true
	[ -z "$found" ] || printf 'splat %s\n' "$found"
}

mode=${1:-}
shift || true
case $mode in
test)	tests "$@" ;;
test-one) test_one "$@" ;;
demo | demo-hosts) demo "$mode" "$@" ;;
shell)	shell "$@" ;;
fuzz)	fuzz "$@" ;;
*)	die "usage: run.sh test [KERNEL...] | demo [KERNEL] | demo-hosts [KERNEL] | shell [KERNEL] | fuzz [KERNEL]" ;;
esac
