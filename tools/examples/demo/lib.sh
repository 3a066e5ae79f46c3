# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2034  # who sources this uses them
#
# What the demonstrations share. Sourced in their folder, beside tree/ and bin/.

demo=$PWD
work=$(mktemp -d)

if [ -t 1 ]; then
	bold=$(printf '\033[1m') red=$(printf '\033[31m') green=$(printf '\033[32m')
	plain=$(printf '\033[0m')
else
	bold='' red='' green='' plain=''
fi

say()
{
	printf '\n%s\n' "$bold$*$plain"
}

fail()
{
	printf '\n%s\n' "${red}FAILED: $*$plain"
	exit 1
}

# Seconds since some time, with two decimals.
since()
{
	echo "$1 $(cut -d' ' -f1 /proc/uptime)" | awk '{ printf "%.2f", $2 - $1 }'
}

# The lines of one file that another has not.
only_in()
{
	awk 'NR == FNR { other[$0] = 1; next } !($0 in other)' "$2" "$1"
}

make_expected()
{
	local start

	cd "$demo/tree" || return
	find . -type f | sort >"$work/paths"
	total=$(wc -l <"$work/paths")
	[ "$total" -gt 0 ] || fail "there is no file in $demo/tree"
	say "1. Without mailboxes: sha256sum of $total files ($(du -sk . | cut -f1) KiB on disk)"
	start=$(cut -d' ' -f1 /proc/uptime)
	tr '\n' '\0' <"$work/paths" | xargs -0 sha256sum | sort >"$work/expected" || return
	echo "one process after the other: $(since "$start") s"
}

# A figure of a mailbox, from its JSON.
figure()
{
	mailbox stat --json "$1" | sed "s/.*[{,]\"$2\":\([0-9]*\).*/\1/"
}
