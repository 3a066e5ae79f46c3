#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mutate.sh [NAME...]: breaks the module, or the bridge, on purpose, once for each mutant in
# mutants/, and shows which test notices. One that no test notices survives, and the run fails.
# Only the tests that a mutant names are run, up to the first failure. What each run
# found goes into the table of Documentation/mutants.rst.
#
# A mutant is a diff, NAME.diff, with a few lines before it:
#
#	rule: the promise that it breaks
#	tests: programs of selftests/ that should notice
#	cases: of those that are scripts, all if there is no such line; to be quicker
#	kernel: the kernel to run them on, if not user-mode Linux
#
# To make one: break the sources, put "git diff" behind such lines, mend the sources. Few
# lines around what it changes (git diff -U1) let it apply for longer.

. "$(dirname "$0")/../vm/common.sh"
# shellcheck source=../vm/report.sh
. "$vm/report.sh"

mutants=$top/selftests/mutate/mutants
out=$build/mutate
tree=$out/tree
table=$top/Documentation/mutants.rst
# What report.sh shows goes to a file.
# shellcheck disable=SC2034
red_out='' green_out='' plain_out=''

virtual_machine=''
stop_machine()
{
	# User-mode Linux has a process on the host for each of its own: all of them.
	[ -z "$virtual_machine" ] || kill -KILL -- "-$virtual_machine" 2>/dev/null || true
	virtual_machine=
}

clean_up()
{
	stop_machine
	rm -rf "$out/pack" "$out/more" "$out"/initramfs*
}

# field MUTANT NAME
field()
{
	sed -n "/^--- /q; s/^$2: *//p" "$mutants/$1.diff"
}

kernel_of()
{
	local kernel

	kernel=$(field "$1" kernel)
	echo "${kernel:-6.1-um}"
}

# The sources as they are now, however the tree changes while we work.
take_sources()
{
	rm -rf "$tree" "$out/original"
	mkdir -p "$out/original"
	cp -r "$top/Kbuild" "$top/module" "$top/uapi" "$top/tools" "$out/original/"
	cp -r "$out/original" "$tree"
}

# All programs, in an archive to which each run adds a module and its settings.
pack_programs()
{
	exec 8>"$build/.lock"
	flock 8
	make -s -C "$top" programs >"$out/programs.log" 2>&1 ||
		{ cat "$out/programs.log" >&2; die "the programs cannot be built"; }
	: >"$out/initramfs.settings"
	"$vm/initramfs.sh" "$out/initramfs" ''
	flock -u 8
}

# build_module KERNEL: leaves its folder in $module.
build_module()
{
	module=$(MODULE_SOURCES=$tree MODULE_BUILD_NAME=mutate-$1 \
		"$vm/module.sh" "$1" 2>"$log/build")
}

# build_bridge: leaves it in $bridge.
build_bridge()
{
	# Warnings are for who makes the mutant.
	make -s -C "$tree/tools/lib" O="$out/tools" all >"$log/build" 2>&1 &&
		make -s -j"$(nproc)" -C "$tree/tools/bridge" O="$out/tools" CFLAGS='-O2 -g -w' \
			"$out/tools/mailbox-bridge" >>"$log/build" 2>&1 || return
	bridge=$out/tools/mailbox-bridge
}

# The kernel takes one archive after the other, the last one wins.
pack_module()
{
	local root=$out/pack file

	rm -rf "$root"
	mkdir -p "$root/vm"
	for file in mailbox.ko mailbox_test.ko; do
		[ ! -e "$module/$file" ] || strip -g -o "$root/vm/$file" "$module/$file"
	done
	if [ "$bridge" ]; then
		mkdir -p "$root/bin"
		strip -g -o "$root/bin/mailbox-bridge" "$bridge"
	fi
	mkdir -p "$out/more"
	: >"$out/more/initramfs"
	case " $TESTS" in
	*' bridge_'*) add_hosts "$folder" "$out/more" ;;
	esac
	{
		settings test
		# For those that do not say how long they take: what hangs is seen sooner.
		echo 'export MAILBOX_TIMEOUT=20'
		echo "export MAILBOX_CASES='${cases// /|}'"
		# Nothing else runs beside it, and each failure takes as long.
		echo "export MAILBOX_PATIENCE=1"
	} >"$root/vm/settings"
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) |
		cat "$out/initramfs" "$out/more/initramfs" - >"$out/initramfs.run"
}

# What the kernel complained of first, or nothing.
complaint()
{
	complaints "$log/console" | sed 's/^[^\t]*\t//; s/^\[[^]]*\] //; q' || true
}

# In place of the one in report.sh: ends at the first failure too, and when the machine
# is silent because its kernel has complained.
next_line()
{
	local since=$SECONDS part status

	[ ${#failures[@]} -eq 0 ] || return 1
	line=
	until IFS= read -r -t 5 part; do
		status=$?
		line+=$part
		if [ $status -le 128 ] || [ $((SECONDS - since)) -gt "$1" ] ||
		   [ "$(complaint)" ]; then
			return 1
		fi
	done
	line+=$part
	silence=$((SECONDS - since > silence ? SECONDS - since : silence))
}

# run_tests KERNEL: runs TESTS, and leaves in $caught what went wrong first.
run_tests()
{
	local what

	folder=$("$vm/kernel.sh" "$1")
	pack_module
	: >"$log/console"
	failures=() silence=0
	# In a process group of its own, so that all of it can be ended; without our locks.
	exec 4< <(exec setsid "$vm/boot.sh" "$folder" "$out/initramfs.run" "$log/console" \
		</dev/null 7>&- 8>&-)
	virtual_machine=$!
	if ! report "$log/tap" "${patience[$1]}" <&4 >"$log/report"; then
		what=$(complaint)
		failures+=("${lost_in:-the boot}: ${what:-the machine ended or hung}")
	fi
	stop_machine
	exec 4<&-
	caught=${failures[0]:-}
}

begin_log()
{
	log=$out/$1
	rm -rf "$log"
	mkdir -p "$log"
}

# By kernel: seconds without a word until a machine counts as hung.
declare -A patience

# The module as it is must pass the same tests, or a failure would say nothing.
control()
{
	local kernel=$1 started=$SECONDS
	local TESTS=$2 cases=$3 bridge=

	begin_log "control-$kernel"
	printf 'as it is, on %s: ' "$kernel"
	build_module "$kernel" || { cat "$log/build" >&2; die "the module cannot be built"; }
	patience[$kernel]=1000
	run_tests "$kernel"
	[ -z "$caught" ] || die "the module as it is fails $caught; see ${log#"$top"/}"
	# Longer than a test may hang.
	patience[$kernel]=$((30 * $(slow) + 3 * silence))
	echo "passed in $((SECONDS - started)) s: $TESTS"
}

breaks_bridge()
{
	grep -q '^+++ b/tools/bridge/' "$mutants/$1.diff"
}

break_module()
{
	patch -s -N -F0 -p1 --no-backup-if-mismatch -r - -d "$tree" \
		<"$mutants/$1.diff" >"$log/patch" 2>&1
}

# Newer than what was built from the broken one.
mend_module()
{
	local file

	sed -n 's,^+++ b/\([^[:space:]]*\).*,\1,p' "$mutants/$1.diff" |
		while IFS= read -r file; do
			cp "$out/original/$file" "$tree/$file"
		done
}

# try MUTANT: leaves in $verdict "caught", "survived" or "error", and in $caught by what.
try()
{
	local kernel TESTS cases bridge=

	kernel=$(kernel_of "$1")
	TESTS=$(field "$1" tests)
	cases=$(field "$1" cases)
	begin_log "$1"
	verdict=error
	if ! break_module "$1"; then
		caught="it no longer applies"
	elif ! build_module "$kernel" || { breaks_bridge "$1" && ! build_bridge; }; then
		caught="it no longer compiles"
	else
		run_tests "$kernel"
		# A warning of the kernel names the file by its place on this machine.
		caught=${caught//"$module/"/}
		verdict=${caught:+caught}
		verdict=${verdict:-survived}
		# Before its first test a machine knows nothing of the module.
		[[ $caught != 'the boot: '* ]] || verdict=error
	fi
	mend_module "$1"
}

# The row of a mutant in the table as it is, from a run before this one.
earlier_row()
{
	awk -v name="$1" '
		/^   \* - / { found = $3 == name; seen += found }
		found
		END { exit !seen }' "$table"
}

# Those of this run as they went in it, the others as they were.
write_table()
{
	local file name

	{
		begin_table
		for file in "$mutants"/*.diff; do
			file=${file##*/}
			name=${file%.diff}
			[ -z "${rows[$name]:-}" ] || { printf '%s\n' "${rows[$name]}"; continue; }
			earlier_row "$name" || row "$name" "$(field "$name" rule)" 'not tried: ?'
		done
	} >"$out/table"
	cp "$out/table" "$table"
}

begin_table()
{
	cat <<-'END'
	.. SPDX-License-Identifier: GPL-2.0
	.. Written by selftests/mutate/mutate.sh.

	.. list-table::
	   :header-rows: 1
	   :widths: 25 40 35

	   * - Mutant
	     - Rule that it breaks
	     - Caught by
	END
}

# row NAME RULE CAUGHT
row()
{
	# shellcheck disable=SC2016  # the quotes are of the text
	printf '   * - %s\n     - %s\n     - %s ``%s``\n' "$1" "$2" "${3%%: *}:" "${3#*: }"
}

chosen=("$@")
if [ $# -eq 0 ]; then
	for file in "$mutants"/*.diff; do
		file=${file##*/}
		chosen+=("${file%.diff}")
	done
fi
# By kernel: the tests that the mutants name.
declare -A wanted wanted_cases
for name in "${chosen[@]}"; do
	[ -e "$mutants/$name.diff" ] || die "there is no mutant '$name'"
	kernel=$(kernel_of "$name")
	for test in $(field "$name" tests); do
		case " ${wanted[$kernel]:-} " in
		*" $test "*) ;;
		*) wanted[$kernel]+="${wanted[$kernel]:+ }$test" ;;
		esac
	done
	cases=$(field "$name" cases)
	# One that wants all of them has all of them tried.
	[ "$cases" ] || wanted_cases[$kernel]=all
	[ "${wanted_cases[$kernel]:-}" = all ] || wanted_cases[$kernel]+=" $cases"
done

mkdir -p "$out"
exec 7>"$out/.lock"
flock -n 7 || die "another mutate.sh is running in this tree"
trap clean_up EXIT
take_sources
pack_programs
for kernel in "${!wanted[@]}"; do
	cases=${wanted_cases[$kernel]}
	control "$kernel" "${wanted[$kernel]}" "${cases#all}"
done

# By mutant: its row in the table.
declare -A rows
number=0 bad=()
for name in "${chosen[@]}"; do
	number=$((number + 1)) started=$SECONDS
	printf '%2d/%d %-30s ' $number ${#chosen[@]} "$name"
	try "$name"
	took=$((SECONDS - started))
	case $verdict in
	caught)	printf '%s by %s, %d s\n' "${green}caught${plain}" "$caught" $took ;;
	*)	printf '%s %s, %d s\n' "${red}${verdict^^}${plain}" "$caught" $took
		bad+=("$name: ${caught:-survived}, although $(field "$name" rule)") ;;
	esac
	rows[$name]=$(row "$name" "$(field "$name" rule)" "${caught:-nothing: survived}")
done

echo
for name in "${bad[@]}"; do
	say "${red}not caught:${plain} $name"
done
echo "$((number - ${#bad[@]})) of $number mutants caught in $((SECONDS / 60)) min; logs: ${out#"$top"/}/NAME/"
write_table
[ ${#bad[@]} -eq 0 ]
