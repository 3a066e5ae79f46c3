#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A host that receives is cut off while messages flow, for longer than the server waits for it: what
# it has got does not come again.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# routes HOST ROUTE: starts a bridge with it.
routes()
{
	printf -- '- {%s}\n' "$2" | bridge_config "$1" && bridge_start "$1"
}

# lines FILE COUNT: has as many, or more.
lines()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# receive HOST COUNT MAILBOX: into the file got.HOST, in the background.
receive()
{
	nsenter -t "$(cat "host.$1")" -n mailbox receive --lines --count "$2" "$3" >"got.$1" &
	echo $! >"receive.$1.runs"
}

test_what_was_got_before_the_cut_does_not_come_again()
{
	hosts && server_start || return
	routes ha 'mailbox: jobs, direction: out' || return
	routes hb 'mailbox: jobs, direction: in, ack_wait: 1s, hold: 500ms' || return
	await 30 route_is ha jobs state running && await 30 route_is hb jobs state running ||
		logs || return
	seq 20000 >want
	nsenter -t "$(cat host.ha)" -n mailbox send --lines jobs <want &
	echo $! >send.runs
	receive hb 20000 jobs
	# With acknowledgements on the way, which are lost.
	await 60 lines got.hb 2000 && cut_off hb || logs || return
	await 60 route_is hb jobs state away && mend hb || logs || return
	await 120 is_gone "$(cat receive.hb.runs)" || logs || return
	sort -n got.hb | cmp - want || logs || return
	await 60 route_is hb jobs lag 0 || logs || return
	figure_on_is hb jobs messages 0 || logs
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
