#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration: hashes every file of a tree with four workers that get the files
# through one mailbox and answer through another; kills two workers in mid-job; compares
# the outcome with hashes made without mailboxes. Runs as root beside tree/ and bin/.
# Exit status 0: every file was hashed exactly once, and right.

cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./lib.sh

# Workers that will be killed, and the number of the job from which on each stands still.
victims="3 4" halt=200

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

start_parts()
{
	local number

	say "2. With mailboxes: a producer, four workers, a collector"
	if ! mailbox create --max-messages=256 --max-bytes=4M jobs >"$work/ids" ||
		! mailbox create results >>"$work/ids"; then
		fail "cannot create the mailboxes"
	fi

	part "$demo/bin/collector" "$work/list" "$total" &
	collector=$!
	workers=''
	for number in 1 2; do
		mailbox work jobs -- "$demo/bin/hash" $number &
		workers="$workers $!"
	done
	for number in $victims; do
		mkfifo "$work/held$number"
		mailbox work jobs -- "$demo/bin/hash" "$number" $halt >"$work/held$number" &
		echo $! >"$work/pid$number"
	done
	part "$demo/bin/producer" <"$work/paths" >"$work/produced" &
	producer=$!
}

kill_victims()
{
	local number pid held table

	# Each says what it holds, and then stands still.
	for number in $victims; do
		read -r held <"$work/held$number" || fail "worker $number never stood still"
		echo "worker $number holds $held" >>"$work/held"
	done
	table=$(mailbox ls 2>&1)
	printf '\n\n%s\n\n%s\n%s\n' "'mailbox ls' now:" "$table" \
		"messages of 'jobs' that a worker has under a lease: $(figure jobs leased)"
	for number in $victims; do
		pid=$(cat "$work/pid$number")
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null
		[ $? -eq 137 ] || fail "worker $number did not die from SIGKILL"
		printf '\n%s' "${bold}killed worker $number (process $pid) in the midst of a job$plain"
	done
	printf '\n\n'
}

finish_parts()
{
	local pid

	wait $producer || fail "the producer failed"
	wait $collector || fail "the collector failed"
	took=$(since "$start")
	# They end when nothing is left to do for them.
	for pid in $workers; do
		kill -TERM "$pid"
		wait "$pid" || fail "a worker failed"
	done
	printf '\n%s\n' "producer: $(cat "$work/produced")"
	mailbox stat --json jobs results | sed 's/.*"sent":\([0-9]*\).*/\1/' |
		awk -v took="$took" '{ all += $1 } END {
			printf "both mailboxes: %d messages in %s s, %d messages/s\n", all, took, all / took }'
}

compare()
{
	local missing wrong twice nr back left number path

	say "3. The comparison"
	sort "$work/list" >"$work/got"
	only_in "$work/expected" "$work/got" >"$work/missing"
	only_in "$work/got" "$work/expected" >"$work/wrong"
	nr=$(wc -l <"$work/got")
	missing=$(wc -l <"$work/missing")
	wrong=$(wc -l <"$work/wrong")
	twice=$(uniq -d "$work/got" | wc -l)
	back=$(figure jobs redelivered)
	left=$(($(figure jobs messages) + $(figure results messages)))
	echo "$total files, $nr hashes came, $wrong of them wrong, $twice of them twice," \
		"$missing missing"
	echo "messages of 'jobs' that came back: $back; left in the mailboxes: $left"
	while read -r _ number _ path; do
		echo "worker $number was killed with $path," \
			"which was hashed $(grep -cF "  $path" "$work/got") time, by another"
	done <"$work/held"

	[ "$wrong" -eq 0 ] || fail "some hashes are wrong: $(head -n 5 "$work/wrong")"
	[ "$missing" -eq 0 ] || fail "some hashes are missing: $(head -n 5 "$work/missing")"
	[ "$nr" -eq "$total" ] || fail "$nr hashes came, $total should have"
	[ "$left" -eq 0 ] || fail "there should be no message left"
	[ "$back" -eq "$(wc -l <"$work/held")" ] || fail "as many should have come back as were killed"
}

make_expected || fail "cannot hash the tree"
start=$(cut -d' ' -f1 /proc/uptime)
start_parts
kill_victims
finish_parts
compare
printf '\n%s\n' "${green}OK: each of the $total files was hashed exactly once, though two workers died on the way.$plain"
