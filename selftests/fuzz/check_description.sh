#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check_description.sh [DESCRIPTION [HEADER]]: compares the description for syzkaller
# with the header: commands, constants, structures, their members, in order and with
# their sizes, and which of them are out. Prints the differences; silent when there are none.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
description=${1:-$here/mailbox.txt}
header=${2:-$here/../../uapi/linux/mailbox.h}

# Constants that no call takes: what the module says of itself, and limits that the
# description gives in its own way.
not_described='MAILBOX_INTERFACE_VERSION|MAILBOX_IOC_MAGIC|MAILBOX_DERIVE_MAX'
not_described+='|MAILBOX_LANES_MAX|MAILBOX_LANE_BYTES_DEFAULT'
# What is in the pages of a lane: no call takes it either.
not_described+='|MAILBOX_LANE_(STATE|CONSUMER|PRODUCER|DATA|SENDER_GONE|RECEIVER_GONE|DESTROYED)'
in_pages='mailbox_lane_(state|consumer|producer|record|area|end)'

# One line for each member: structure, member, bytes; for a name their number in words.
members_of_header()
{
	awk '
		/^struct mailbox_[a-z_]+ \{/ { in_struct = $2; next }
		/^\};/ { in_struct = "" }
		in_struct {
			type = $1; name = $2
			sub(/;.*/, "", name)
			if (type ~ /64$/) bytes = 8
			else if (type ~ /32$/) bytes = 4
			else if (name ~ /\[/) {
				bytes = name
				sub(/.*\[/, "", bytes); sub(/\].*/, "", bytes)
				sub(/\[.*/, "", name)
			} else bytes = "unknown"
			print in_struct, name, bytes
		}' "$header" | grep -vE "^$in_pages "
}

members_of_description()
{
	awk -F '\t' '
		/^(type )?mailbox_[a-z_]+(\[ENTRY\])? \{/ {
			in_struct = $0
			sub(/^type /, "", in_struct); sub(/(\[ENTRY\])? \{.*/, "", in_struct)
			next
		}
		/^\}/ { in_struct = "" }
		in_struct {
			if ($3 ~ /MAILBOX_NAME_SIZE/) bytes = "MAILBOX_NAME_SIZE"
			else if ($3 ~ /int64|^ptr64|^mailbox_(id|lease_number|loan_number|grant|lane_number)/) bytes = 8
			else if ($3 ~ /int32|^bool32|^(uid|gid|pid|fd_mailbox_handle|fd_event)$/) bytes = 4
			else bytes = "unknown"
			print in_struct, $2, bytes
		}' "$description"
}

# Those that the comment above the structure calls "out"; some go both ways.
out_of_header()
{
	awk '
		/^ \* struct mailbox_[a-z_]+ - / { in_struct = $3 }
		/^struct / { in_struct = "" }
		in_struct && /^ \* @[a-z_]+: / { name = $2; gsub(/[@:]/, "", name) }
		in_struct && /^ \*$/ { name = "" }
		in_struct && name && (/: out[, ]/ || /; out[, ]/) { print in_struct, name }' "$header" |
		grep -vE "^$in_pages " | uniq
}

out_of_description()
{
	awk -F '\t' '
		/^(type )?mailbox_[a-z_]+(\[ENTRY\])? \{/ {
			in_struct = $0
			sub(/^type /, "", in_struct); sub(/(\[ENTRY\])? \{.*/, "", in_struct)
			next
		}
		/^\}/ { in_struct = "" }
		in_struct && ($4 == "(out)" || $4 == "(inout)") { print in_struct, $2 }' "$description"
}

# Every constant: of enumerations and by #define.
constants_of_header()
{
	sed -n 's/^#define \(MAILBOX_[A-Z_]*\).*/\1/p; s/^\t\(MAILBOX_[A-Z_]*\)[, ].*/\1/p' "$header" |
		grep -vxE "$not_described" | sort -u
}

constants_of_description()
{
	# Not in comments, and not as part of the name of a call.
	sed 's/^#.*//; s/ioctl\$[A-Za-z_]*//' "$description" | grep -oE '\bMAILBOX_[A-Z_]+' |
		sort -u
}

# The sets of flags that are enumerations as a whole: mailbox_flag is spread over the calls.
values_of_header()
{
	awk '
		/^enum mailbox_[a-z_]+ \{/ { in_enum = $2; next }
		/^\};/ { in_enum = "" }
		in_enum && in_enum != "mailbox_flag" { sub(/,$/, "", $1); print in_enum, $1 }' "$header" |
		grep -vE "^$in_pages "
}

values_of_description()
{
	local names

	names=$(sed -n 's/^enum \(mailbox_[a-z_]*\) {/\1/p' "$header" | grep -vx mailbox_flag)
	awk -F ' = ' -v names="$names" '
		BEGIN { split(names, list, "\n"); for (i in list) known[list[i]] = 1 }
		$1 in known {
			nr = split($2, values, ", ")
			for (i = 1; i <= nr; i++)
				print $1, values[i]
		}' "$description"
}

# Each command is a call with that command.
commands()
{
	grep -oE "$1" "$2" | grep -oE 'MAILBOX_IOC_[A-Z_]+' | grep -vx MAILBOX_IOC_MAGIC | sort -u
}

# Members and values come in the same order in both.
compare()
{
	local what=$1

	diff <("$2") <("$3") |
		sed -n "s,^<,$what: ${description##*/} lacks,p; s,^>,$what: the header has no,p" || true
}

compare_commands()
{
	diff <(commands '^#define MAILBOX_IOC_[A-Z_]+' "$header") \
	     <(commands 'const\[MAILBOX_IOC_[A-Z_]+' "$description") |
		sed -n "s,^<,command: ${description##*/} lacks,p; s,^>,command: the header has no,p" || true
}

found=$({
	compare_commands
	compare member members_of_header members_of_description
	compare out out_of_header out_of_description
	compare constant constants_of_header constants_of_description
	compare value values_of_header values_of_description
})
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
