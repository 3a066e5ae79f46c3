# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154  # part is set by who sources this
#
# Sourced by compat_*.sh: runs each of the programs ${part}_* in this folder twice, over the IPC
# of the kernel and with libmailbox-compat.so preloaded, and reports each case of each run as a
# test. The programs cannot know the difference, and all must pass in both forms. Those named
# mailbox_${part}_* run over mailboxes only, since they are about what the kernel's IPC has not.
# Afterwards nothing may be left that 'mailbox ls' shows, since each program removes what it makes.

here=$(dirname "$(readlink -f "$0")")
library=/lib/libmailbox-compat.so
[ -e "$library" ] || library=$here/../tools/libmailbox-compat.so

if [ ! -c /dev/mailbox ] || [ ! -e "$library" ]; then
	echo "1..0 # SKIP needs the module and libmailbox-compat.so"
	exit 4
fi

number=0 failed=0

# judge NAME PROBLEM: one case of our own.
judge()
{
	number=$((number + 1))
	if [ "$2" ]; then
		failed=1
		echo "# $2"
		echo "not ok $number $1"
	else
		echo "ok $number $1"
	fi
}

# once KIND PROGRAM [VARIABLE=VALUE]: all cases of a program. A program that ends in the midst of
# its cases fails the plan.
once()
{
	local kind="$1" name="${2##*/}" line status

	echo "# $kind $name" >/dev/kmsg
	{ env ${3:+"$3"} "$2" 2>&1; echo "status $?"; } >/tmp/twice.out
	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			number=$((number + 1))
			case $line in not*) failed=1; printf 'not ' ;; esac
			line=${line#*ok }
			printf 'ok %s %s %s.%s\n' "$number" "$kind" "$name" "${line#* }"
			;;
		'status 0' | 'status 1' | 'status 4' | 'TAP version'* | '1..'*) ;;
		'status '*)
			status=${line#status }
			failed=1
			echo "# $kind $name ended with status $status"
			;;
		'# '*) printf '%s\n' "$line" ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done </tmp/twice.out
}

# What is there before is not ours to judge.
before=$(mailbox ls --no-header)

planned=2
for program in "$here/ipc/mailbox_${part}"_*; do
	[ ! -e "$program" ] || planned=$((planned + $("$program" -l | wc -l)))
done
for program in "$here/ipc/${part}"_*; do
	planned=$((planned + 2 * $("$program" -l | wc -l)))
done
echo "TAP version 13"
echo "1..$planned"

for program in "$here/ipc/${part}"_*; do
	once kernel "$program"
	once mailbox "$program" "LD_PRELOAD=$library"
done
for program in "$here/ipc/mailbox_${part}"_*; do
	[ ! -e "$program" ] || once mailbox "$program" "LD_PRELOAD=$library"
done

left=$(mailbox ls --no-header)
[ "$left" != "$before" ] || left=
judge "nothing is left that 'mailbox ls' shows" "$left"
judge "the library could be preloaded" \
	"$(LD_PRELOAD=$library "$program" -l 2>&1 | grep -F 'cannot be preloaded')"

exit $failed
