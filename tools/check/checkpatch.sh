# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154  # variables and functions of check.sh
#
# The style of the kernel, as its own script sees it.

# Kernel-doc says what a lock guards, and another check wants that for each member. The
# arguments of the macros are names.
unlike_module=(UNCOMMENTED_DEFINITION MACRO_ARG_REUSE)
# What compat.h is there for.
unlike_compat=("${unlike_module[@]}" LINUX_VERSION_CODE CONSTANT_COMPARISON)

unlike_programs=(
	# Types, macros and names of the kernel that programs do not have, and names
	# of the C library that the kernel does not have.
	PREFER_KERNEL_TYPES PREFER_DEFINED_ATTRIBUTE_MACRO ARRAY_SIZE CAMELCASE
	# Messages are sentences, and have words in them that functions have for names.
	SPLIT_STRING EMBEDDED_FUNCTION_NAME
	# They are long, too: clang-format ends the line before one, and that decides.
	OPEN_ENDED_LINE
	# Of pointers to what is made at that moment, which nothing static can be.
	STATIC_CONST_CHAR_ARRAY
	# Macros of the tests that are lists, definitions or the head of a block.
	COMPLEX_MACRO MACRO_ARG_REUSE MACRO_ARG_PRECEDENCE MACRO_WITH_FLOW_CONTROL
	MULTISTATEMENT_MACRO_USE_DO_WHILE TRAILING_SEMICOLON
	# The C library's own word for what longjmp() and signals leave alone.
	VOLATILE
	# What a processor has an instruction for, and another has not.
	ARCH_DEFINES
	# To a program it also means a system call that the kernel was built without.
	ENOSYS
	# What errno holds is positive.
	USE_NEGATIVE_ERRNO
)

# Types that do not look like it, of libraries, are in the file typedefs.
#
# run_checkpatch FOLDER IGNORED-TYPE... <FILES. It writes into the current folder what it
# knows of the names in the kernel.
run_checkpatch()
{
	local source=$1 ignored

	shift
	ignored=$(IFS=,; echo "$*")
	(cd "$out" && sed "s,^,$top/," | xargs perl "$source/scripts/checkpatch.pl" \
		--no-tree --root="$source" --strict --terse --show-types --no-summary \
		--max-line-length=100 --typedefsfile="$top/tools/check/typedefs" --ignore "$ignored" -f 2>&1) | sed "s,^$top/,,"
}

check_checkpatch()
{
	local source

	source=$("$vm/build-kernel.sh" --source 6.1) || { echo "no checkpatch.pl"; return; }
	files 'module/*.[ch]' 'uapi/*.h' | grep -vx module/compat.h |
		run_checkpatch "$source" "${unlike_module[@]}"
	files module/compat.h | run_checkpatch "$source" "${unlike_compat[@]}"
	files 'tools/*.[ch]' 'selftests/*.[ch]' |
		run_checkpatch "$source" "${unlike_programs[@]}"
}
