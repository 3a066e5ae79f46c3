#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Messages that were on their way to a host when that was cut off: they come before newer ones, and
# at once. And no more of them are on their way than there is room for.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# routes HOST ROUTE: starts a bridge with it, and waits until that runs.
routes()
{
	printf -- '- {mailbox: jobs, create: true, %s}\n' "$2" | bridge_config "$1"
	bridge_start "$1" || return
	await 30 route_is "$1" jobs state "${3:-running}" || logs
}

# numbers FROM TO: sends these from ha.
numbers()
{
	seq "$1" "$2" | on ha mailbox send --lines jobs
}

# came HOST FROM TO: exactly these, in this order.
came()
{
	on "$1" mailbox receive --lines --count $(($3 - $2 + 1)) --timeout 60s jobs >got || logs ||
		return
	seq "$2" "$3" | cmp - got || logs
}

# Its end is not told to the server, which goes on sending to it.
dies_cut_off()
{
	cut_off "$1" && bridge_kill "$1"
}

test_broadcast_after_a_cut()
{
	hosts && server_start || return
	routes ha 'direction: out, policy: broadcast' && routes hb 'direction: in, policy: broadcast' ||
		return
	numbers 1 50 && came hb 1 50 || return
	dies_cut_off hb && numbers 51 100 || return
	# They are on their way to nobody.
	await 30 pending_is host-hb 50 || logs || return
	mend hb && bridge_start hb && numbers 101 150 || return
	came hb 51 150 || return
	route_is hb jobs missed 0 || logs
}

# With all of its window, which nobody here has room for.
test_broadcast_to_a_full_mailbox()
{
	hosts && server_start || return
	on hb mailbox create --max-messages=10 jobs >id || return
	routes ha 'direction: out, policy: broadcast' &&
		routes hb 'direction: in, policy: broadcast, hold: 100ms, window: 4' || return
	seq 10 | on hb mailbox send --lines jobs || return
	numbers 11 50 && await 30 route_is hb jobs in_flight 4 || logs || return
	await 30 route_is hb jobs state full || logs || return
	bridge_kill hb && bridge_start hb && numbers 51 60 && came hb 1 60 || return
	route_is hb jobs missed 0 || logs
}

test_turn_after_a_cut()
{
	hosts ha hb hc && server_start || return
	routes ha 'direction: out, policy: one' && routes hb 'direction: in, policy: one, turn: 8s' &&
		routes hc 'direction: in, policy: one, turn: 8s' waiting || return
	numbers 1 10 && came hb 1 10 && await 30 pending_is one-p0 0 || logs || return
	kill -STOP "$(cat bridge.hb.runs)" && numbers 11 40 && await 30 pending_is one-p0 30 ||
		logs || return
	dies_cut_off hb && numbers 41 60 && came hc 11 60
}

# What a bridge has no time for yet, though there is room, it gives to no other host: it comes in its turn.
test_hold_is_for_a_full_mailbox()
{
	hosts && server_start || return
	routes ha 'direction: out' && numbers 1 3000 && await 30 route_is ha jobs moved 3000 || logs ||
		return
	routes hb 'direction: in, hold: 1ms, window: 4096' && came hb 1 3000 || return
	route_is hb jobs repeated 0 || logs
}

# Messages one at a time, and then many at once. Each of the two bands has half of the window.
test_no_more_than_asked_for()
{
	local number

	hosts && server_start || return
	routes ha 'direction: out' && routes hb 'direction: in, window: 8' || return
	for number in $(seq 20); do
		on ha mailbox send jobs "$number" || return
	done
	came hb 1 20 && await 30 pending_is any-p0 0 || logs || return
	# A stopped process cannot ask.
	kill -STOP "$(cat bridge.hb.runs)" && numbers 21 60 && await 30 route_is ha jobs moved 60 ||
		logs || return
	number=$(pending any-p0)
	[ "$number" -ge 1 ] && [ "$number" -le 4 ] || logs || return
	kill -CONT "$(cat bridge.hb.runs)" && came hb 21 60
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
