#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2034
#
# What the bridge costs: messages from host ha to host hb, through mailboxes and bridges and
# through clients of NATS alone, in turns. Prints a line of JSON for each measurement on standard
# output, and how far it is on standard error. MEASURE=quick does few.

work=$(mktemp -d) && cd "$work" || exit
# Nothing but the results.
exec 3>&1 1>&2
# shellcheck source=hosts.sh
. "$(dirname "$0")/hosts.sh"

rounds=3 percent=100
[ "${MEASURE:-}" != quick ] || rounds=1 percent=30

give_up()
{
	local host

	echo "measure.sh: $*"
	for host in ha hb; do
		on $host timeout 10 mailbox bridge status --json
		on $host timeout 10 mailbox stat r1
	done
	cat bridge.*.log server.log
	after_test
	exit 1
}

# measure BY OPTION...: one line; the options are those of bridge-measure.
measure()
{
	local by="$1" watch

	shift
	watch="--watch=server=$(cat server.runs)"
	[ "$by" != bridge ] || watch="$watch --watch=out=$(cat bridge.ha.runs) \
		--watch=in=$(cat bridge.hb.runs)"
	echo "$by $*"
	# shellcheck disable=SC2086  # several options
	timeout 120 bridge-measure --by="$by" --from="$(cat host.ha)" --to="$(cat host.hb)" $watch "$@" \
		>line || give_up "a measurement failed"
	cat line >&3
}

# all_run HOST NR
all_run()
{
	[ "$(on "$1" mailbox bridge status --json | grep -o '"state":"running"' | wc -l)" -eq "$2" ]
}

# run_bridges NR: that many routes from ha to hb, mailboxes r1 and so on.
run_bridges()
{
	local i host direction

	for host in ha hb; do
		direction=out
		[ $host = ha ] || direction=in
		: >routes
		for i in $(seq "$1"); do
			on $host mailbox create --max-messages=1024 --max-bytes=32M "r$i" >>ids ||
				give_up "cannot create a mailbox"
			echo "  - {mailbox: r$i, direction: $direction}" >>routes
		done
		bridge_config $host <routes
		bridge_start $host
	done
	for host in ha hb; do
		await 120 all_run $host "$1" || give_up "a route does not run"
	done
}

stop_bridges()
{
	local host name

	for host in ha hb; do
		bridge_stop $host || give_up "a bridge does not stop"
		while read -r name; do
			on $host mailbox rm "$name" || give_up "cannot destroy a mailbox"
		done <names
	done
}

{ hosts && server_start; } || give_up "no server"

run_bridges 1
# Warm: the first messages of each find pages that nobody has touched.
measure bridge --messages=500 3>/dev/null
measure client --messages=500 3>/dev/null
for _ in $(seq $rounds); do
	for size in 64 1024 16384; do
		case $size in
		64)	nr=10000 ;;
		1024)	nr=8000 ;;
		*)	nr=2000 ;;
		esac
		for by in bridge client 'client without ids'; do
			measure "$by" --size=$size --messages=$((nr * percent / 100))
		done
	done
	# One at a time: what a message takes when nothing else is on the way.
	for by in bridge client; do
		measure "$by" --size=64 --messages=$((2 * percent)) --interval=20000
	done
done
echo r1 >names
stop_bridges

for routes in 10 100; do
	run_bridges "$routes"
	for _ in $(seq $rounds); do
		measure bridge --routes="$routes" --messages=$((100 * percent))
	done
	seq "$routes" | sed 's/^/r/' >names
	stop_bridges
done
after_test
