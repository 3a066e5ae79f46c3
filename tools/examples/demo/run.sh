#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration: hashes every file of a tree with four workers that get the files
# through one mailbox and answer through another; kills one worker on the way; compares
# the outcome with hashes made without mailboxes. Runs as root beside tree/ and bin/.
# Exit status 0: everything is right, but for the job that died with the worker.

cd "$(dirname "$0")" || exit 1
demo=$PWD
work=$(mktemp -d)
victim=3 halt=200

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

clean_up()
{
	# Whoever still waits is told that the mailbox is gone, and ends.
	mailbox rm -f jobs results 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

# Runs a part of the demonstration; should it fail, no other part may wait for it.
part()
{
	"$@" && return
	mailbox rm -f jobs results
	return 1
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

start_parts()
{
	local number

	say "2. With mailboxes: a producer, four workers, a collector"
	if ! mailbox create --max-messages=256 --max-bytes=4M jobs >"$work/ids" ||
		! mailbox create results >>"$work/ids"; then
		fail "cannot create the mailboxes"
	fi
	mkfifo "$work/held"

	part "$demo/bin/collector" "$work/list" "$total" &
	collector=$!
	workers=
	for number in 1 2 4; do
		part "$demo/bin/worker" $number &
		workers="$workers $!"
	done
	"$demo/bin/worker" $victim $halt >"$work/held" &
	victim_pid=$!
	part "$demo/bin/producer" <"$work/paths" >"$work/produced" &
	producer=$!
}

kill_one()
{
	local table

	# It says what it holds once it has taken that many, and then stands still.
	read -r held <"$work/held" || fail "worker $victim never got its $halt. file"
	table=$(mailbox ls 2>&1)
	printf '\n\n%s\n\n%s\n' "'mailbox ls' now:" "$table"
	kill -KILL $victim_pid
	wait $victim_pid 2>/dev/null
	[ $? -eq 137 ] || fail "worker $victim did not die from SIGKILL"
	printf '\n%s\n\n' "${bold}killed worker $victim (process $victim_pid) while it held its $halt. file$plain"
}

finish_parts()
{
	local pid

	wait $producer || fail "the producer failed"
	for pid in $workers; do
		wait "$pid" || fail "a worker failed"
	done
	mailbox send results '' || fail "cannot tell the collector that this is the end"
	wait $collector || fail "the collector failed"
	printf '\n%s\n' "producer: $(cat "$work/produced")"
}

compare()
{
	local lost wrong nr

	say "3. The comparison"
	sort "$work/list" >"$work/got"
	only_in "$work/expected" "$work/got" >"$work/missing"
	only_in "$work/got" "$work/expected" >"$work/wrong"
	nr=$(wc -l <"$work/got")
	lost=$(wc -l <"$work/missing")
	wrong=$(wc -l <"$work/wrong")
	echo "$total files, $nr hashes came, $wrong of them wrong," \
		"$(uniq -d "$work/got" | wc -l) of them twice, $lost missing"
	echo "missing:           $(sed 's/^[0-9a-f]*  //' "$work/missing" | head -n 20)"
	echo "worker $victim had taken: $held"

	[ "$wrong" -eq 0 ] || fail "some hashes are wrong: $(head -n 5 "$work/wrong")"
	[ "$nr" -eq $((total - 1)) ] || fail "$nr hashes came, $((total - 1)) should have"
	[ "$(sed 's/^[0-9a-f]*  //' "$work/missing")" = "$held" ] ||
		fail "what is missing is not what the killed worker held"
}

make_expected || fail "cannot hash the tree"
start=$(cut -d' ' -f1 /proc/uptime)
start_parts
kill_one
finish_parts
took=$(since "$start")
echo "both mailboxes: $(mailbox stat --json jobs results | sed 's/.*"sent":\([0-9]*\).*/\1/' |
	awk -v took="$took" '{ all += $1 } END {
		printf "%d messages in %s s, %d messages/s", all, took, all / took }')"
compare
printf '\n%s\n' "${green}OK: everything but the 1 job that died with worker $victim is there and right.$plain"
echo "(A message that a process has taken is lost with the process: leases, which give it back, come later.)"
