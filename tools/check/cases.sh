# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of check.sh: Documentation/compat.rst lists the very cases that selftests/ipc and
# compat_programs.sh have.

# "program case" of the programs that run in both forms.
cases_of_programs()
{
	local file

	for file in selftests/ipc/{msg,shm,mq}_*.c; do
		sed -n 's/^TEST\(_F\|_SIGNAL\|_F_SIGNAL\)\?(\([a-z0-9_]*, \)\?\([a-z0-9_]*\)\(, [A-Z0-9]*\)\?)$/\3/p' "$file" |
			tr _ ' ' | sed "s/^/$(basename "$file" .c) /"
	done
	sed -n '/^cases="$/,/"$/s/^\t\([a-z_]*\)"\?$/compat_programs \1/p' selftests/compat_programs.sh
}

# The same of the tables, which name the variants of a case before it.
cases_of_document()
{
	sed -n 's/^\(\(msg\|shm\|mq\|compat\)_[a-z_]*\)  *\(.*[^ ]\)  *passes  *passes$/\1 \3/p' \
		Documentation/compat.rst | sed 's/^\([a-z_]*\) [a-z]*: /\1 /'
}

check_cases()
{
	diff -u --label selftests --label Documentation/compat.rst \
		<(cases_of_programs | sort -u) <(cases_of_document | sort -u) | grep '^[-+]'
}
