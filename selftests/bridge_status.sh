#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a bridge says about itself, by 'mailbox bridge status', and how it starts and stops.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# shellcheck source=bridge/status.sh
. "$(dirname "$0")/bridge/status.sh"

test_no_bridge()
{
	hosts ha || return
	expect 3 on ha mailbox bridge status && says "no bridge has mailbox 'bridge'" || return
	expect 3 on ha mailbox bridge status --name other && says "mailbox 'other'" || return
	# One that nobody serves is not a bridge either.
	on ha mailbox create bridge >out || return
	expect 3 on ha mailbox bridge status && says "no bridge has mailbox 'bridge'" || return
	expect 2 on ha mailbox bridge || return
	expect 2 on ha mailbox bridge stop || return
	expect 0 on ha mailbox bridge --help && contains 'Usage: mailbox bridge status'
}

test_answer_of_something_else()
{
	hosts ha || return
	on ha mailbox create bridge >out || return
	on ha mailbox serve --count 1 bridge -- echo '{"routes": 1}' &
	await 10 figure_on_is ha bridge handles 1 || return
	expect 1 on ha mailbox bridge status && says 'an answer that no bridge gives'
}

test_without_a_server()
{
	hosts ha && start || return
	until_status 'not connected' || return
	contains 'host ha, process ' && contains 'ROUTE' && contains 'work.results' || return
	contains 'back' && contains '<-' && contains '->' || return
	# For a terminal only.
	! grep -q "$(printf '\033')" out || return
	on ha mailbox bridge status --color=always >out && grep -q "$(printf '\033')" out || return
	until_status '"connected":false' --json && contains '"host":"ha"' || return
	contains 'no connection to a server' bridge.ha.log ||
		await 10 grep -q 'no connection to a server' bridge.ha.log
}

test_lag_is_what_waits()
{
	hosts ha || return
	on ha mailbox create jobs >out && start || return
	on ha mailbox send jobs one two three || return
	await 20 route_is ha jobs lag 3 || return
	server_start || return
	await 30 route_is ha jobs lag 0 && route_is ha jobs moved 3 || return
	[ "$(server_says 'jsz?streams=true' | grep -c '"messages": 3')" -ge 1 ]
}

test_mailbox_comes_back()
{
	hosts ha && start || return
	until_status 'not connected' || return
	on ha mailbox rm bridge || return
	until_status 'not connected' || return
	# A second one, which finds the mailbox taken, works all the same.
	sed 's,state: .*,state: /tmp/other,' bridge.ha.yaml >other.yaml
	nsenter -t "$(cat host.ha)" -n mailbox-bridge other.yaml >other.log 2>&1 &
	echo $! >bridge.other.runs
	await 10 grep -q "cannot make mailbox 'bridge'.*another 'name:'" other.log || return
	bridge_stop ha || return
	# Its turn.
	until_status "process $(cat bridge.other.runs)," && ended bridge.other.runs TERM
}

test_another_name()
{
	hosts ha || return
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out}
	END
	echo 'name: my.bridge' >>bridge.ha.yaml
	bridge_start ha || return
	until_status 'not connected' --name=my.bridge
}

test_stops_at_once()
{
	hosts ha && server_start && start || return
	await 30 route_is ha jobs state running || return
	kill -TERM "$(cat bridge.ha.runs)"
	wait "$(cat bridge.ha.runs)" || { cat bridge.ha.log; return 1; }
	contains stopped bridge.ha.log || return
	expect 3 on ha mailbox bridge status
}

watched_twice()
{
	[ "$(wc -l <watched)" -ge 2 ]
}

test_watch_ends_with_the_bridge()
{
	hosts ha && start || return
	until_status 'not connected' || return
	on ha mailbox bridge status --watch --json >watched 2>err &
	await 20 watched_twice || return
	bridge_stop ha || return
	wait $!
	[ $? -eq 3 ] && says 'no bridge has'
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
