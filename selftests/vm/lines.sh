#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lines.sh MODULE <TEXT: copies what a kernel said, and puts behind each place in our
# module, such as "mbx_send+0x12a/0x300 [mailbox]", the file and line that it is.
# MODULE is a mailbox.ko with debugging information, as module.sh makes it.

. "$(dirname "$0")/common.sh"

[ $# -eq 1 ] || die "usage: lines.sh MODULE <TEXT"
module=$1

# Prints "SECTION ADDRESS" of a function.
find_function()
{
	readelf -Ws "$module" | awk -v name="$1" '
		$4 == "FUNC" && $8 == name { print $7, $2; exit }'
}

# Prints the name of a section with that number.
section_name()
{
	readelf -WS "$module" | sed -n "s/^ *\[ *$1\] \([^ ]*\) .*/\1/p"
}

# where FUNCTION OFFSET
where()
{
	local section address

	read -r section address < <(find_function "$1") || return
	addr2line -s -e "$module" -j "$(section_name "$section")" \
		"$(printf '%x' $((0x$address + $2)))"
}

declare -A known
while IFS= read -r line; do
	line=${line%$'\r'}
	# The module's name stands behind each of its functions in a trace.
	if [[ $line =~ ([A-Za-z_0-9.]+)\+(0x[0-9a-f]+)/0x[0-9a-f]+\ *\[mailbox\] ]]; then
		function=${BASH_REMATCH[1]} offset=${BASH_REMATCH[2]}
		place=$function+$offset
		[ "${known[$place]:-}" ] ||
			known[$place]=$(where "$function" "$offset" || echo '?')
		line+=" ${known[$place]}"
	fi
	printf '%s\n' "$line"
done
