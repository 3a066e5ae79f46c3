#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The first session of README.md: each command, typed as it stands there, prints what stands
# there; "..." is anything. In a network namespace of its own, where ids begin with 1.

readme=$(readlink -f "$(dirname "$0")")/examples/README.md

if [ ! -c /dev/mailbox ] || [ ! -e "$readme" ] || [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP needs the module, root, and README.md as the virtual machine has it"
	exit 4
fi
if [ "$1" != inside ]; then
	exec unshare -n "$0" inside
fi

work=$(mktemp -d) || exit 1
trap 'cd /; rm -rf "$work"' EXIT
cd "$work" || exit 1
awk '/^## / { inside = $0 == "## A first session" } inside && sub(/^    /, "")' "$readme" >session

# What has been printed since the command began; a job in the background may be late with it.
printed_in_time()
{
	local tries=0 pattern

	# As a pattern of the shell: literally, but for "...".
	pattern=$(sed -e 's/[][*?\\]/\\&/g' -e 's/\.\.\./*/g' expected)
	while :; do
		# shellcheck disable=SC2254  # it is a pattern
		case $(cat printed) in $pattern) return ;; esac
		tries=$((tries + 1))
		[ $tries -le 2000 ] || return
	done
}

number=0 failed=0 status=0
echo "TAP version 13"
check()
{
	[ "$command" ] || return
	number=$((number + 1))
	: >printed
	# The status of the command before is what "echo $?" means.
	(exit $status)
	eval "$command" >>printed 2>&1
	status=$?
	if printed_in_time; then
		echo "ok $number $command"
	else
		failed=$((failed + 1))
		echo "# printed, and that is not what README.md says:"
		sed 's/^/#   /' printed
		echo "not ok $number $command"
	fi
}

command=
while IFS= read -r line <&3; do
	case $line in
	"# "*)
		check
		command=${line#??}
		: >expected
		;;
	*) printf '%s\n' "$line" >>expected ;;
	esac
done 3<session
check
echo "1..$number"
[ $failed -eq 0 ] && [ $number -ge 10 ]
