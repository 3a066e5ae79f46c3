#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [NAME...]: says which mutants no longer apply to the sources as they are, or no
# longer compile, and fails if there are any. What a mutant touches is compiled as it is
# for Debian's kernel, or for the bridge; nothing is linked or run.

. "$(dirname "$0")/../vm/common.sh"

mutants=$top/selftests/mutate/mutants
work=$build/mutate-check

# compile TREE FILE: with the command that has built it, in a copy of the sources.
compile()
{
	local tree=$1 file=$2 command name=${2##*/}

	case $file in
	tools/*)
		gcc -std=gnu11 -D_GNU_SOURCE -Werror=implicit-function-declaration -fsyntax-only \
			-I"$tree/uapi" -I"$tree/tools/lib" \
			-DMAILBOX_VERSION='""' "$tree/$file"
		return
		;;
	esac
	# Up to what the kernel does with the object afterwards.
	command=$(sed -n 's/^[a-z]*cmd_[^ ]* := *\([^;]*\).*/\1/p' "$module/module/.${name%.c}.o.cmd" |
		sed -E "s,$module/,$tree/,g; s, -Wp\,-MMD\,[^ ]*,,; s, -o [^ ]*\.o , -o /dev/null ,")
	[ "$command" ] || { echo "nothing says how $file is compiled"; return 1; }
	# The quotes are meant for a shell. Warnings are for who makes the mutant.
	(cd "$headers" && eval "${command/ -c / -S } -w")
}

# Those to compile when one of the sources has changed.
affected()
{
	case $1 in
	*.c)	echo "$1" ;;
	tools/*) (cd "$top" && grep -l "\"${1##*/}\"" "${1%/*}"/*.c) ;;
	uapi/*)	(cd "$top" && grep -l "<$1>" module/*.c) ;;
	*)	(cd "$top" && grep -l "\"${1##*/}\"" module/*.c) ;;
	esac | grep -v '_test\.c$'
}

# check_mutant NAME: prints what is wrong with it.
check_mutant()
{
	local tree file said

	[ -e "$mutants/$1.diff" ] || { echo "there is no mutant '$1'"; return; }
	tree=$(mktemp -d "$work/XXXXXX")
	cp -r "$top/module" "$top/uapi" "$tree/"
	! grep -q '^+++ b/tools/' "$mutants/$1.diff" || cp -r "$top/tools" "$tree/"
	if ! patch -s -N -F0 -p1 --no-backup-if-mismatch -r - -d "$tree" \
		<"$mutants/$1.diff" >/dev/null 2>&1; then
		echo "$1: it no longer applies"
	else
		sed -n 's,^+++ b/\([^[:space:]]*\).*,\1,p' "$mutants/$1.diff" |
			while IFS= read -r file; do affected "$file"; done |
			while IFS= read -r file; do
				said=$(compile "$tree" "$file" 2>&1) ||
					printf '%s\n' "$1: it no longer compiles" "$said"
			done
	fi
	rm -rf "$tree"
}

# For itself, once for each processor.
if [ "${1:-}" = --one ]; then
	check_mutant "$2"
	exit
fi

mapfile -t all < <(cd "$mutants" && printf '%s\n' *.diff | sed 's/\.diff$//')
[ $# -gt 0 ] || set -- "${all[@]}"
module=$("$vm/module.sh" 6.1)
headers=$("$vm/kernel.sh" 6.1)/build
export module headers
rm -rf "$work"
mkdir -p "$work"
found=$(printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "$0" --one)
rm -rf "$work"
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
