#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [NAME...]: everything that can be said about the sources without running
# them. Each check is silent when all is well. NAME picks one, such as "format".

. "$(dirname "$0")/../selftests/vm/common.sh"

cd "$top"
out=$build/check
: "${KERNELS:=6.1 6.12}"
read -ra kernels <<<"$KERNELS"

# What git keeps, or would: names that match the patterns. Not the fuzzer's inputs,
# which are bytes without a meaning to anybody else.
files()
{
	local file

	git ls-files -co --exclude-standard -- "$@" ':!selftests/fuzz/corpus' | while IFS= read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done
}

. "$top/tools/check/module.sh"
. "$top/tools/check/checkpatch.sh"
. "$top/tools/check/coccinelle.sh"
. "$top/tools/check/cases.sh"

check_kernel_doc()
{
	local kernel

	# The older one knows neither the option nor all of the language.
	kernel=$("$vm/kernel.sh" 6.12)
	files 'uapi/*.h' 'module/*.[ch]' |
		xargs perl "$kernel/build/scripts/kernel-doc" -none -Wall 2>&1
}

check_format()
{
	local file

	files '*.c' '*.h' | while IFS= read -r file; do
		clang-format "$file" | diff -u --label "$file" --label "$file, formatted" "$file" -
	done
}

# The header alone, as the languages and sizes that may include it see it.
check_header()
{
	local how

	for how in 'gcc -x c -std=c99 -pedantic' 'gcc -x c -m32' 'clang -x c -std=c11' \
		   'clang -x c++ -std=c++11'; do
		# shellcheck disable=SC2086  # a command and its options
		echo '#include <linux/mailbox.h>' |
			$how -Wall -Wextra -Werror -fsyntax-only -Iuapi - 2>&1
	done
}

check_programs()
{
	local compiler

	for compiler in gcc clang; do
		{ make -s -C tools O="$out/$compiler/tools" CC=$compiler all &&
		  make -s -C selftests O="$out/$compiler/selftests" \
			LIBMAILBOX="$out/$compiler/tools/libmailbox.a" CC=$compiler all &&
		  make -s -C selftests/fuzz O="$out/$compiler/fuzz" CC=$compiler all &&
		  $compiler -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
			"$vm/guest/supervise.c"; } 2>&1 || echo "$compiler failed"
	done
}

# Every sh that runs these knows "local".
check_scripts()
{
	files | while IFS= read -r file; do
		case $file in
		*.[chS] | *.md | *.rst | LICENSES/*) continue ;;
		*.sh | *.bash) echo "$file" ;;
		*) ! head -n 4 "$file" | grep -qE '^#!.*sh|^# shellcheck shell=' || echo "$file" ;;
		esac
	done | xargs shellcheck -x -P SCRIPTDIR -e SC3043 2>&1
}

check_licences()
{
	local file id

	files | while IFS= read -r file; do
		case $file in
		# Nothing but text, or no place for a comment.
		LICENSES/* | selftests/vm/splats | selftests/vm/guest/welcome) continue ;;
		esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' ||
			echo "$file: no SPDX line"
	done
	files | xargs sed -n 's/.*SPDX-License-Identifier: \([-A-Za-z0-9. ]*[A-Za-z0-9]\).*/\1/p' |
		tr ' ' '\n' | sed 's/-only$//; s/-or-later$//' | sort -u |
		while IFS= read -r id; do
			case $id in WITH | OR | AND) continue ;; esac
			[ -e "LICENSES/$id" ] || echo "no text of the licence $id in LICENSES"
		done
}

# The manual page has each command and errno of the header, and no other.
check_manual()
{
	local page=Documentation/man/mailbox.4 header=uapi/linux/mailbox.h
	local number='E[A-Z0-9]{3,}'

	[ -e $page ] || { echo "no $page"; return; }
	diff <(grep -ohE '^#define MAILBOX_IOC_[A-Z_]+' $header | sed 's/.* //' |
			grep -v MAGIC | sort -u) \
	     <(tr -d '\134' <$page | grep -oE 'MAILBOX_IOC_[A-Z_]+' | sort -u) |
		sed -n "s,^<,$page lacks,p; s,^>,$header lacks,p"
	diff <(sed -n '/^ \* ====/,/^ \*\/$/p' $header | grep -oE "^ \* $number" |
			sed 's/.* //' | sort -u) \
	     <(grep -v "^\.\\\\\"" $page | grep -oE "\b$number\b" | grep -vx ERRORS | sort -u) |
		sed -n "s,^<,$page lacks,p; s,^>,$header lacks,p"
	diff <(sed -n 's/.*\bTEXT(struct [a-z_]*, \([a-z_]*\)).*/\1/p
			s/.*CYAML_FIELD_[A-Z_]*("\([a-z_]*\)".*/\1/p' tools/bridge/config_file.c |
			sort -u) \
	     <(sed -n '/^\.Sh CONFIGURATION/,/^\.Sh SIGNALS/p' Documentation/man/mailbox-bridge.8 |
			grep -oE '^\.(It )?Cm .*|^\(1 to 5' | grep -oE '[a-z_]{2,}' | sort -u) |
		sed -n 's,^<,mailbox-bridge(8) lacks,p'
	files 'Documentation/man/*' | while IFS= read -r page; do
		groff -ww -z -man -Tutf8 "$page" 2>&1
	done
}

# What systemd makes of the unit, where there is one; its program is a stand-in.
check_unit()
{
	[ "$(command -v systemd-analyze)" ] || return 0
	install -D -m 755 /dev/null "$out/unit/bin/mailbox-bridge"
	# Made anew: its prefix may be another by now.
	rm -f "$out/unit/mailbox-bridge.service"
	make -s -C tools/bridge O="$out/unit" PREFIX="$out/unit" "$out/unit/mailbox-bridge.service" 2>&1
	systemd-analyze verify --man=no "$out/unit/mailbox-bridge.service" 2>&1 | grep mailbox-bridge
}

# What the fuzzers know of the interface.
check_description()
{
	selftests/fuzz/check_description.sh
}

# What breaks the module or the bridge on purpose must fit it as it is now. Not asked again until
# one of them changes.
check_mutants()
{
	local sum found

	sum=$(cat module/* uapi/linux/mailbox.h tools/bridge/*.[ch] selftests/mutate/check.sh \
		selftests/mutate/mutants/* | sha256sum)
	[ ! -e "$out/mutants-${sum:0:16}" ] || return 0
	rm -f "$out"/mutants-*
	if found=$(selftests/mutate/check.sh 2>&1); then
		touch "$out/mutants-${sum:0:16}"
	else
		echo "$found"
	fi
}

# What users include, of the module and of the library, is one file however long it gets.
check_text()
{
	files | grep -v '^LICENSES/' | xargs awk '
		/[[:space:]]$/ { print FILENAME ":" FNR ": white space at the end" }
		FNR == 501 && FILENAME ~ /\.([ch]|sh)$/ &&
		FILENAME !~ /^(uapi\/.*|tools\/lib\/mailbox\.h)$/ {
			print FILENAME ": over 500 lines"
		}'
	files | xargs tail -qc 1 | tr -d '\n' | grep -q . && echo "a file lacks its last newline"
}

all=(module clang checkpatch coccinelle kernel_doc format header programs scripts licences manual
     unit description cases mutants text)
[ $# -gt 0 ] || set -- "${all[@]}"
mkdir -p "$out"
exec 7>"$out/.lock"
flock 7
before=$(git status --porcelain --ignored=no)
passed=0 failed=0
for name; do
	declare -F "check_$name" >/dev/null || die "no check '$name'; there are: ${all[*]}"
	found=$("check_$name") || true
	if [ "$found" ]; then
		failed=$((failed + 1))
		printf '%s\n' "not ok  $name" "$found"
	else
		passed=$((passed + 1))
		echo "ok      $name"
	fi
done
if [ "$before" != "$(git status --porcelain --ignored=no)" ]; then
	failed=$((failed + 1))
	echo "not ok  the checks changed the tree"
	git status --short
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
