#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What ends, or is overtaken, on the way to a host: a message that was delivered too often, news that
# the stream keeps no longer, and a flood that others of a higher priority pass.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# routes OF-HA OF-HB: starts the bridges, each with one.
routes()
{
	printf -- '- {direction: out, %s}\n' "$1" | bridge_config ha
	printf -- '- {direction: in, %s}\n' "$2" | bridge_config hb
	bridge_start ha && bridge_start hb
}

# both_run ROUTE
both_run()
{
	await 60 route_is ha "$1" state running || logs || return
	await 60 route_is hb "$1" state running || logs
}

# Each time that somebody removes the mailbox, what is in it was not acknowledged.
test_delivered_too_often_is_a_dead_letter()
{
	local before now

	hosts && server_start || return
	routes 'mailbox: jobs' 'mailbox: jobs, confirm: acknowledged, max_deliveries: 2' || return
	both_run jobs && on ha mailbox send jobs bad || return
	await 60 figure_on_is hb jobs messages 1 || logs || return
	before=$(figure_on hb jobs id)
	on hb mailbox rm jobs && await 60 figure_on_is hb jobs messages 1 || logs || return
	now=$(figure_on hb jobs id)
	# So often it may come.
	[ "$now" != "$before" ] && route_is hb jobs dead 0 || logs || return
	on hb mailbox rm jobs && await 60 route_is hb jobs dead 1 || logs || return
	NATS_URL=$server expect 0 on ha /selftests/bridge/stream read mbx-dead-jobs mbx.dead.jobs 1 &&
		contains ' Mailbox-Deliveries=3;' && contains ' Mailbox-Reason=delivered too often;' &&
		contains ' [bad]' || return
	# It is in nobody's way.
	await 60 route_is hb jobs state running && on ha mailbox send jobs good || logs || return
	expect 0 on hb mailbox work --count=1 jobs -- cat && prints good || logs || return
	await 60 route_is hb jobs moved 1 || logs || return
	route_is hb jobs dead 1 || logs
}

# The stream is made by who is first.
test_news_that_are_gone_are_counted()
{
	hosts && server_start || return
	routes 'mailbox: news, policy: broadcast, stream: {max_messages: 10}' \
		'mailbox: news, policy: broadcast, stream: {max_messages: 10}' || return
	both_run news && seq 1 3 | on ha mailbox send --lines news || return
	on hb mailbox receive --lines --count 3 --timeout 60s news >got || logs || return
	await 60 route_is hb news moved 3 && bridge_stop hb || logs || return
	seq 4 50 | on ha mailbox send --lines news || return
	await 60 route_is ha news moved 50 && bridge_start hb || logs || return
	on hb mailbox receive --lines --count 10 --timeout 60s news >got || logs || return
	seq 41 50 | cmp - got && route_is hb news missed 37 || logs || return
	# What it is there for, it misses not.
	on ha mailbox send news 51 || return
	expect 0 on hb mailbox receive --timeout 60s news && prints 51 || logs || return
	await 60 route_is hb news moved 11 || logs || return
	route_is hb news missed 37 || logs
}

# of BAND FIRST LAST: those numbers came, in order.
of_band()
{
	grep "^$1 " got | cut -d' ' -f2 >band
	seq "$2" "$3" | cmp - band && return
	echo "# of band $1 came $(wc -l <band), $(sort -u band | wc -l) different"
	logs
}

# before COUNT WORD: what has it is among the first so many that came.
before()
{
	head -n "$1" got | grep -c "^$2 " >number
	[ "$(cat number)" = 3 ] && return
	echo "# of 3 $(cat number) came before number $1: $(grep -n "^$2 " got | tr '\n' ' ')"
	return 1
}

test_flood_is_overtaken()
{
	hosts && server_start || return
	on hb mailbox create --permanent --max-messages 50 jobs >out || return
	routes 'mailbox: jobs, bands: [1, 10]' \
		'mailbox: jobs, bands: [1, 10], window: 48, hold: 50s, ack_wait: 200s' || return
	await 60 route_is ha jobs state running && await 60 on ha mailbox stat jobs || logs || return
	seq 1 600 | sed 's/^/flood /' | on ha mailbox send --lines jobs || return
	# It is at the server, and as much of it on the other host as there is room for.
	await 60 route_is ha jobs moved 600 && await 60 figure_on_is hb jobs messages 50 || logs ||
		return
	seq 1 3 | sed 's/^/middle /' | on ha mailbox send --lines -p 1 jobs || return
	seq 1 3 | sed 's/^/high /' | on ha mailbox send --lines -p 20 jobs || return
	await 60 route_is ha jobs moved 606 || logs || return
	on hb timeout 60 mailbox receive --lines --count 606 jobs >got || logs || return
	of_band flood 1 600 && of_band middle 1 3 && of_band high 1 3 || return
	before 300 high && before 300 middle || return
	await 60 route_is hb jobs moved 606 || logs || return
	figure_on_is hb jobs messages 0 || logs
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
