#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Messages that come to a host: each exactly once, however often the bridge there is killed, and none
# lost when its mailbox is full, gone, or when who received it dies.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# two_hosts ROUTE [NAME...]: the server, and a bridge on ha that sends what is in 'jobs' there.
two_hosts()
{
	local more="$1"

	shift
	hosts "$@" && server_start || return
	on ha mailbox create --permanent --max-messages 50000 jobs >out || return
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out, create: true$more}
	END
	bridge_start ha
}

receipts=', receipts: ends'

# said HOST WORDS: in the log of the bridge there.
said()
{
	grep -qF -- "$2" "bridge.$1.log"
}

# receives [MORE]: the bridge on hb does, into a mailbox that it makes, and MORE is said of its route.
receives()
{
	echo "- {mailbox: jobs, direction: in, create: true${1:-}}" | bridge_config hb
	{ bridge_start hb && await 20 on hb mailbox stat jobs; } || logs
}

# comes WORD: the next message there.
comes()
{
	{ expect 0 on hb mailbox receive --timeout 20s jobs && prints "$1"; } || logs
}

# uptime_is SECONDS, at least
uptime_is()
{
	[ "$(cut -d. -f1 /proc/uptime)" -ge "$1" ]
}

# same_numbers FILE: it has each number of the file 'want' once.
same_numbers()
{
	sort -n "$1" >sorted
	sort -n want | cmp -s - sorted && return
	echo "# of $(wc -l <want) numbers $(wc -l <sorted) came, $(uniq sorted | wc -l) different"
	logs
}

# The bridge on hb has begun, at whichever attempt.
is_at_work()
{
	grep -qE "route 'jobs': (runs|goes on)" bridge.hb.log
}

# kills NR ROUTE: the bridge on hb, with that, while numbers go there.
kills()
{
	local nr="$1" kills=0 receiver

	two_hosts '' ha hb || return
	on hb mailbox create --permanent --max-messages 200 jobs >out || return
	echo "- {mailbox: jobs, direction: in, window: 64, ack_wait: 5s$2}" | bridge_config hb
	bridge_start hb || return
	seq 1 "$nr" >want
	nsenter -t "$(cat host.hb)" -n mailbox receive --lines --count "$nr" jobs >got &
	receiver=$!
	echo $receiver >bridge.receiver.runs
	on ha mailbox send --lines jobs <want || return
	while [ $kills -lt 25 ] && ! is_gone $receiver; do
		await 20 is_at_work || logs || return
		: >bridge.hb.log
		usleep $((kills * 7 % 11 * 20000))
		bridge_kill hb && bridge_start hb || return
		kills=$((kills + 1))
	done
	echo "# killed $kills times"
	# What was on the way to a bridge that was killed comes after ack_wait.
	await 60 is_gone $receiver || { wc -l got; logs; } || return
	same_numbers got || return
	# Nothing more comes.
	await 20 route_is hb jobs in_flight 0 || logs || return
	[ "$(figure_on hb jobs messages)" = 0 ] && [ $kills -gt 3 ]
}

test_bridge_killed_many_times()
{
	kills 5000 ''
}

test_bridge_killed_while_it_waits_for_receivers()
{
	kills 3000 ', confirm: acknowledged'
}

test_full_mailbox_loses_nothing()
{
	two_hosts '' ha hb || return
	on hb mailbox create --permanent --max-messages 10 jobs >out || return
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in, hold: 200ms}
	END
	bridge_start hb || return
	seq 1 300 >want
	on ha mailbox send --lines jobs <want || return
	await 20 figure_on_is hb jobs messages 10 || logs || return
	await 20 route_is hb jobs state full || logs || return
	await 20 route_is ha jobs in_flight 0 || logs || return
	said hb "mailbox 'jobs' is full" || logs || return
	on hb timeout 60 mailbox receive --lines --count 300 jobs >got || logs || return
	same_numbers got || return
	await 20 route_is hb jobs state running || logs
}

# After short ones it has fetched long ones, too, and there is no room for all of those. They go to
# another host long before the server would see to that by itself, after 'ack_wait'.
test_full_mailbox_leaves_the_rest_to_another_host()
{
	two_hosts '' ha hb hc || return
	on hb mailbox create --permanent --max-bytes 10000 jobs >out || return
	for host in hb hc; do
		bridge_config $host <<-END
			- {mailbox: jobs, direction: in, create: true, ack_wait: 10m, hold: 100ms}
		END
	done
	{ seq 1 20 && printf '%06000d\n' 21 22 23 24 25 26; } >want
	on ha mailbox send --lines jobs <want || return
	await 20 route_is ha jobs moved 26 || logs || return
	bridge_start hb && await 20 figure_on_is hb jobs messages 21 || logs || return
	bridge_start hc && await 20 figure_on_is hc jobs messages 5 || logs || return
	on hb mailbox receive --lines --count 21 jobs >got &&
		on hc mailbox receive --lines --count 5 jobs >>got && same_numbers got
}

test_mailbox_destroyed_and_made_again()
{
	two_hosts '' ha hb && receives || return
	on ha mailbox send jobs one && comes one || return
	on hb mailbox rm jobs || return
	on ha mailbox send jobs two || return
	await 20 on hb mailbox stat jobs || logs || return
	comes two
}

test_expired_on_the_way()
{
	two_hosts "$receipts" ha hb || return
	on hb mailbox create --permanent jobs >out || return
	on ha mailbox send --expire 8s jobs late || return
	await 7 route_is ha jobs moved 1 || logs || return
	await 20 uptime_is $(($(cut -d. -f1 /proc/uptime) + 9)) || return
	on ha mailbox send jobs good || return
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in}
	END
	bridge_start hb || return
	comes good || return
	await 20 route_is hb jobs expired 1 || logs || return
	# Who has sent it knows.
	expect 0 on ha mailbox receive --timeout 20s --json ends || logs || return
	contains '\"end\":\"expired\"'
}

test_too_long_is_a_dead_letter()
{
	two_hosts '' ha hb || return
	on hb mailbox create --permanent --message-size 8 jobs >out || return
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in}
	END
	bridge_start hb || return
	on ha mailbox send jobs "this is too long" short || return
	comes short || return
	await 20 route_is hb jobs dead 1 || logs || return
	server_says 'jsz?streams=1' | tr -d ' \n' >out
	contains '"name":"mbx-dead-jobs"' || return
	said hb 'does not fit the mailbox'
}

test_receipts_come_back()
{
	two_hosts "$receipts" ha hb && receives || return
	on ha mailbox send jobs one && comes one || return
	expect 0 on ha mailbox receive --timeout 20s --json ends || logs || return
	contains '\"sequence\":1,' && contains '\"end\":\"received\"' && contains '\"host\":\"hb\"' || return
	contains '"type":1'
}

# Anybody who may publish says what the id is: it goes back as JSON, which has no such letters.
test_receipt_for_an_id_that_is_no_text()
{
	two_hosts "$receipts" ha hb || return
	echo '- {mailbox: jobs, direction: in, create: true}' | bridge_config hb
	bridge_start hb || return
	await 20 on hb mailbox stat jobs && await 20 on ha mailbox stat ends || logs || return
	NATS_URL=$server on ha /selftests/bridge/stream publish mbx.q.jobs.p0 strange \
		"$(printf '\377')-7" ha/jobs || return
	expect 0 on hb mailbox receive --timeout 20s jobs && prints strange || logs || return
	expect 0 on ha mailbox receive --timeout 20s --json ends && contains '"type":7' || logs ||
		return
	on ha mailbox send jobs ours || return
	expect 0 on hb mailbox receive --timeout 20s jobs || logs || return
	prints ours
}

receipts_wait()
{
	[ "$(NATS_URL=$server on ha /selftests/bridge/stream count mbx-receipts)" = "$1" ]
}

# Its subject would have one word more than those that somebody reads: the server would keep it.
test_receipt_for_a_name_that_no_host_has()
{
	two_hosts "$receipts" ha hb || return
	echo '- {mailbox: jobs, direction: in, create: true}' | bridge_config hb
	bridge_start hb || return
	await 20 on hb mailbox stat jobs || logs || return
	NATS_URL=$server on ha /selftests/bridge/stream publish mbx.q.jobs.p0 strange 7 ha.b/jobs || return
	expect 0 on hb mailbox receive --timeout 20s jobs && prints strange || logs || return
	await 20 route_is hb jobs moved 1 || logs || return
	await 20 receipts_wait 0 || logs
}

# The worker has a job when its bridge is gone with it: the other host does that job.
test_worker_that_dies_gives_its_job_to_another_host()
{
	two_hosts '' ha hb hc || return
	for host in hb hc; do
		on $host mailbox create --permanent jobs >out || return
		bridge_config $host <<-END
			- {mailbox: jobs, direction: in, confirm: acknowledged, ack_wait: 3s}
		END
	done
	bridge_start hb || return
	await 20 said hb runs || logs || return
	on ha mailbox send jobs job || return
	nsenter -t "$(cat host.hb)" -n mailbox work jobs -- sh -c 'cat >taken; exec sleep 600' &
	echo $! >bridge.worker.runs
	await 20 test -s taken || logs || return
	# Nobody else gets it while this one lives.
	bridge_start hc || return
	await 20 said hc runs || return
	expect 6 on hc mailbox receive --timeout 5s jobs || logs || return
	bridge_kill hb && bridge_kill worker || return
	expect 0 on hc mailbox receive --timeout 30s jobs && prints job || logs || return
	await 20 route_is hc jobs moved 1 || logs
}

# What was confirmed while the bridge was dead is known to the next one.
test_confirmed_while_the_bridge_is_dead()
{
	two_hosts '' ha hb || return
	on hb mailbox create --permanent jobs >out || return
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in, confirm: acknowledged}
	END
	bridge_start hb || return
	on ha mailbox send jobs one two || return
	await 20 figure_on_is hb jobs messages 2 || logs || return
	bridge_kill hb || return
	expect 0 on hb mailbox work --count=2 jobs -- cat || return
	bridge_start hb || return
	await 20 route_is hb jobs moved 2 || logs || return
	[ "$(figure_on hb jobs messages)" = 0 ]
}

test_turn_moves()
{
	hosts ha hb hc && server_start || return
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out, policy: one, create: true}
	END
	for host in hb hc; do
		bridge_config $host <<-END
			- {mailbox: jobs, direction: in, policy: one, create: true, turn: 15s}
		END
	done
	bridge_start ha && await 20 on ha mailbox stat jobs || logs || return
	bridge_start hb || return
	await 20 said hb 'has the turn' || logs || return
	bridge_start hc || return
	await 20 route_is hc jobs state waiting || logs || return
	on ha mailbox send jobs one || return
	comes one || return
	# A new bridge of the same host has it at once.
	bridge_kill hb && bridge_start hb || return
	await 8 route_is hb jobs state running || logs || return
	# One that is gone for good loses it.
	bridge_kill hb || return
	on ha mailbox send jobs two || return
	expect 0 on hc mailbox receive --timeout 60s jobs && prints two || logs || return
	bridge_start hb || return
	await 20 route_is hb jobs state waiting || logs || return
	# One that stops gives it up.
	bridge_stop hc || return
	await 8 route_is hb jobs state running || logs
}

test_origin_is_shown()
{
	two_hosts '' ha hb && receives ', origin: true' || return
	on ha mailbox send jobs hello || return
	expect 0 on hb mailbox receive --timeout 20s --origin --json jobs || logs || return
	contains '"payload":"hello"' && contains '"origin":{' && contains '"host":"ha"' || return
	on ha mailbox send jobs again || return
	expect 0 on hb mailbox receive --timeout 20s --origin jobs || logs || return
	prints again && contains 'ha' err
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
