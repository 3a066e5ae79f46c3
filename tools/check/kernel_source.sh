# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Checks with the tools that come with the kernel's source, and with the compiler that
# the kernels were not made with. Sourced by check.sh.

# Types of complaints of checkpatch that do not hold here. For all C files:
module_ignore=(
	# clang-format has the say, and checkpatch takes a name with for_each for a loop.
	OPEN_BRACE
	# Locks are described in the kernel-doc above their structure.
	UNCOMMENTED_DEFINITION
	# The arguments of a table are constants.
	MACRO_ARG_REUSE
	# It does not see that another branch before it goes on.
	UNNECESSARY_ELSE
	# Numbers that have to be the same are set in one statement.
	MULTIPLE_ASSIGNMENTS
	# Its comment is the kernel-doc of its function, not in the line above.
	WAITQUEUE_ACTIVE
)

# For programs besides:
program_ignore=(
	# Macros and types that only the kernel has.
	ARRAY_SIZE BIT_MACRO PREFER_DEFINED_ATTRIBUTE_MACRO PREFER_KERNEL_TYPES
	# Names of the C library.
	CAMELCASE
	# Macros of tests open blocks and make lists of members.
	COMPLEX_MACRO MACRO_ARG_PRECEDENCE MACRO_WITH_FLOW_CONTROL
	MULTISTATEMENT_MACRO_USE_DO_WHILE TRAILING_SEMICOLON
	# A test says what it expects, NULL too.
	COMPARISON_TO_NULL
	# clang-format has the say.
	LONG_LINE OPEN_ENDED_LINE SPACING
	# Words of a sentence that are names of functions too, or twice there with reason.
	EMBEDDED_FUNCTION_NAME REPEATED_WORD
	# Texts for the user are paragraphs.
	SPLIT_STRING
	# What a signal handler sets.
	VOLATILE
)

kernel_source()
{
	"$vm/build-kernel.sh" --source 6.1 || echo "cannot get the kernel's source" >&2
}

# checkpatch TYPES-TO-IGNORE FILE...
checkpatch()
{
	local ignore=$1
	shift

	perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
		--max-line-length=100 --ignore "${ignore// /,}" -f "$@" 2>&1 |
		grep -v '^total: '
}

check_checkpatch()
{
	local source found

	source=$(kernel_source 2>&1)
	[ -d "$source" ] || { echo "$source"; return; }
	mapfile -t found < <(files 'module/*.[ch]' 'uapi/*.h')
	checkpatch "${module_ignore[*]}" "${found[@]}"
	mapfile -t found < <(files 'selftests/*.[ch]' 'tools/*.[ch]')
	checkpatch "${module_ignore[*]} ${program_ignore[*]}" "${found[@]}"
}

# Prints what one script says; one that cannot run is named among the skipped.
coccinelle()
{
	local script=$1 name=${1##*/coccinelle/} log

	log=$(mktemp)
	if ! timeout 120 spatch -D report --very-quiet --no-show-diff --cocci-file "$script" \
			--no-includes --include-headers --dir module 2>"$log"; then
		if grep -q 'No OCaml compiler' "$log"; then
			echo "skipped $name: it needs an OCaml compiler" >&6
		else
			echo "$name did not run: $(tail -n 1 "$log")"
		fi
	fi
	rm -f "$log"
}
export -f coccinelle

check_coccinelle()
{
	local source

	source=$(kernel_source 2>&1)
	[ -d "$source" ] || { echo "$source"; return; }
	find "$source/scripts/coccinelle" -name '*.cocci' | LC_ALL=C sort |
		xargs -P "$(nproc)" -I{} bash -c 'coccinelle {}'
}

# Compiles, and no more: the kernels were made with gcc, so what clang does not know of
# their configuration is taken away, and nobody is to load what comes out.
check_clang()
{
	local kernel log=$out/clang.log
	local without=(CC_IS_GCC RETHUNK MITIGATION_RETHUNK FTRACE_MCOUNT_USE_CC
		       FUNCTION_TRACER OBJTOOL INIT_STACK_ALL_ZERO)

	without=("${without[@]/#/CONFIG_}")
	for kernel in "${kernels[@]}"; do
		rm -rf "$build/module/check-clang-$kernel"
		# The headers of a kernel for gcc have their own quarrels with clang.
		MODULE_BUILD_NAME=check-clang-$kernel "$vm/module.sh" "$kernel" -k CC=clang W=1 \
			"${without[@]/%/=}" CONFIG_CC_IS_CLANG=y \
			CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough \
			KCFLAGS="-Werror -Wno-unknown-warning-option \
				-Wno-unused-command-line-argument -Wno-address-of-packed-member \
				-include $top/tools/check/clang.h" >/dev/null 2>"$log" ||
			echo "clang does not compile the module for Linux $kernel:"
		grep -vE '^make(\[[0-9]+\])?: ' "$log" |
			sed "s,$build/module/check-clang-$kernel/,,"
	done
}
