#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mutate.sh [NAME...]: breaks the module on purpose, once for each mutant in mutants/,
# and shows which test notices. One that no test notices survives, and the run fails.
# QUICK=1 runs only the tests that a mutant names, and none of the others after them.
#
# A mutant is a diff, NAME.diff, with a few lines before it:
#
#	rule: the promise that it breaks
#	tests: programs of selftests/ that should notice
#	kernel: the kernel to run them on, if not user-mode Linux
#
# To make one: break the module, put "git diff" behind such lines, mend the module.

. "$(dirname "$0")/../vm/common.sh"

mutants=$top/selftests/mutate/mutants
out=$build/mutate
tree=$out/tree
table=$top/Documentation/mutants.rst

# Seconds without a word until a machine counts as hung, besides three times what the
# unbroken module was silent for: longer than what stops a test that hangs.
patience=90

# By kernel: the longest silence of the unbroken module.
declare -A silences

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
	rm -rf "$out/pack" "$out"/initramfs*
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
	cp -r "$top/Kbuild" "$top/module" "$top/uapi" "$out/original/"
	cp -r "$out/original" "$tree"
}

# All programs, in an archive to which each run adds a module and its settings.
pack_programs()
{
	exec 8>"$build/.lock"
	flock 8
	make -s -C "$top" programs >"$out/programs.log" 2>&1 ||
		{ cat "$out/programs.log" >&2; die "the programs cannot be built"; }
	echo MODE=test >"$out/initramfs.settings"
	"$vm/initramfs.sh" "$out/initramfs" ''
	flock -u 8
}

# build_module KERNEL: leaves its folder in $module.
build_module()
{
	module=$(MODULE_SOURCES=$tree MODULE_BUILD_NAME=mutate-$1 \
		"$vm/module.sh" "$1" 2>"$log/build")
}

# pack_module TESTS: the kernel takes one archive after the other, the last one wins.
pack_module()
{
	local root=$out/pack file

	rm -rf "$root"
	mkdir -p "$root/vm"
	for file in mailbox.ko mailbox_test.ko; do
		[ ! -e "$module/$file" ] || strip -g -o "$root/vm/$file" "$module/$file"
	done
	printf "MODE=test\nTESTS='%s'\nSLOW=%s\nROWS=24 COLUMNS=80\nTERMINAL=\n" \
		"$1" "$(cat "$folder/slow" 2>/dev/null || echo 1)" >"$root/vm/settings"
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) |
		cat "$out/initramfs" - >"$out/initramfs.run"
}

# What the kernel complained of, or nothing.
complaint()
{
	sed 's/\r$//' "$log/console" | sh "$vm/guest/races" | sed '1,/mailbox test: none yet/d' |
		grep -m 1 -E -f "$vm/splats" | sed 's/^\[[^]]*\] //'
}

# The next line of what the machine says, in $line. A machine that hangs has often said
# why. Fails when there are no more, or the kernel complained, or nothing comes.
next_line()
{
	local since=$SECONDS status

	until IFS= read -r -t 5 line <&4; do
		status=$?
		if [ $status -le 128 ] || [ "$(complaint || true)" ] ||
		   [ $((SECONDS - since)) -gt $((patience * slow + 3 * longest)) ]; then
			return 1
		fi
	done
	line=${line%$'\r'}
	silence=$((SECONDS - since > silence ? SECONDS - since : silence))
}

# Reads the word of the machine. Leaves in $caught the first thing that went wrong, and
# ends there unless it is to go on: then the programs that passed are in $fine.
judge()
{
	local to_the_end=$1 line program='the boot' ended=no note

	caught='' fine='' silence=0
	while next_line; do
		printf '%s\n' "$line" >>"$log/tap"
		case $line in
		'# Subtest: '*)
			program=${line#*: }
			continue
			;;
		'    not ok '*)
			note=${line#*not ok }
			note=${note#* }
			note="$program: ${note#- }"
			;;
		'not ok '*)
			note=${line#* - }
			note=${note/ # /: }
			;;
		'ok '*)
			note=${line#* - }
			fine+=" ${note%% # *}"
			continue
			;;
		'1..'*)
			ended=yes
			continue
			;;
		*)	continue ;;
		esac
		caught=${caught:-$note}
		[ "$to_the_end" ] || return 0
	done
	if [ $ended = no ]; then
		note=$(complaint) || true
		caught=${caught:-$program: ${note:-the machine fell silent}}
	fi
}

# run_tests KERNEL TESTS [to the end]
run_tests()
{
	folder=$("$vm/kernel.sh" "$1")
	slow=$(cat "$folder/slow" 2>/dev/null || echo 1)
	longest=${silences[$1]:-400}
	pack_module "$2"
	: >"$log/console"
	: >"$log/tap"
	# In a process group of its own, so that all of it can be ended; without our locks.
	exec 4< <(exec setsid "$vm/boot.sh" "$folder" "$out/initramfs.run" "$log/console" \
		</dev/null 7>&- 8>&-)
	virtual_machine=$!
	judge "${3:-}"
	stop_machine
	exec 4<&-
}

begin_log()
{
	log=$out/$1
	rm -rf "$log"
	mkdir -p "$log"
}

# The module as it is must pass the same tests, or a failure would say nothing.
control()
{
	local kernel=$1 tests=$2 started=$SECONDS

	begin_log "control-$kernel"
	printf 'control on %s: ' "$kernel"
	build_module "$kernel" || { cat "$log/build" >&2; die "the module cannot be built"; }
	run_tests "$kernel" "$tests"
	[ -z "$caught" ] || die "the module as it is fails $caught; see ${log#"$top"/}"
	silences[$kernel]=$silence
	echo "passed in $((SECONDS - started)) s: $tests"
}

# Leaves in $others the programs that the unbroken module passes on a kernel.
declare -A passing
find_others()
{
	local kernel=$1

	if [ -z "${passing[$kernel]:-}" ]; then
		printf '\n    finding out which tests there are for %s ... ' "$kernel"
		begin_log "all-$kernel"
		rm -rf "$tree"
		cp -r "$out/original" "$tree"
		build_module "$kernel"
		run_tests "$kernel" '' to-the-end
		passing[$kernel]=$fine
		silences[$kernel]=$silence
	fi
	others=${passing[$kernel]}
}

break_module()
{
	patch -s -N -F3 -p1 --no-backup-if-mismatch -r - -d "$tree" \
		<"$mutants/$1.diff" >"$log/patch" 2>&1
}

# Newer than what was built from the broken one.
mend_module()
{
	local file

	sed -n 's,^+++ b/\([^[:space:]]*\).*,\1,p' "$mutants/$1.diff" |
		while IFS= read -r file; do
			cp "$out/original/$file" "$tree/$file"
			touch "$tree/$file"
		done
}

# try MUTANT: leaves in $verdict "caught", "survived" or "error", and in $caught by what.
try()
{
	local name=$1 kernel tests others test rest=

	kernel=$(kernel_of "$name")
	tests=$(field "$name" tests)
	verdict=error
	begin_log "$name"
	if ! break_module "$name"; then
		caught="it no longer applies"
	elif ! build_module "$kernel"; then
		caught="it no longer compiles"
	else
		verdict=survived
		run_tests "$kernel" "$tests"
		if [ -z "$caught" ] && [ -z "${QUICK:-}" ]; then
			find_others "$kernel"
			begin_log "$name"
			break_module "$name" && build_module "$kernel"
			for test in $others; do
				case " $tests leaks " in
				*" $test "* | *" ${test%.sh} "*) ;;
				*) rest+=" $test" ;;
				esac
			done
			run_tests "$kernel" "${rest# }"
		fi
		[ -z "$caught" ] || verdict=caught
	fi
	mend_module "$name"
}

begin_table()
{
	cat <<-'END'
	.. SPDX-License-Identifier: GPL-2.0
	.. Written by selftests/mutate/mutate.sh.

	.. list-table::
	   :header-rows: 1
	   :widths: 22 38 32 8

	   * - Mutant
	     - Rule that it breaks
	     - Caught by
	     - Seconds
	END
}

# row NAME RULE CAUGHT SECONDS
row()
{
	# shellcheck disable=SC2016  # the quotes are of the text
	printf '   * - %s\n     - %s\n     - %s ``%s``\n     - %s\n' \
		"$1" "$2" "${3%%: *}:" "${3#*: }" "$4"
}

chosen=("$@")
if [ $# -eq 0 ]; then
	for file in "$mutants"/*.diff; do
		file=${file##*/}
		chosen+=("${file%.diff}")
	done
fi
kernels=()
declare -A wanted
for name in "${chosen[@]}"; do
	[ -e "$mutants/$name.diff" ] || die "there is no mutant '$name'"
	kernel=$(kernel_of "$name")
	if [ -z "${wanted[$kernel]:-}" ]; then
		kernels+=("$kernel")
	fi
	for test in $(field "$name" tests); do
		case " ${wanted[$kernel]:-} " in
		*" $test "*) ;;
		*) wanted[$kernel]+="${wanted[$kernel]:+ }$test" ;;
		esac
	done
done

mkdir -p "$out"
exec 7>"$out/.lock"
flock -n 7 || die "another mutate.sh is running in this tree"
trap clean_up EXIT
take_sources
pack_programs
for kernel in "${kernels[@]}"; do
	control "$kernel" "${wanted[$kernel]}"
done

begin_table >"$out/table"
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
	row "$name" "$(field "$name" rule)" "${caught:-nothing: survived}" $took >>"$out/table"
done

echo
for name in "${bad[@]}"; do
	say "${red}not caught:${plain} $name"
done
echo "$((number - ${#bad[@]})) of $number mutants caught; logs: ${out#"$top"/}/NAME/"
[ ${#bad[@]} -eq 0 ] || exit 1
# The table is of all or of none.
[ $# -gt 0 ] || cp "$out/table" "$table"
