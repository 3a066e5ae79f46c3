#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Calls from host ha to a server on host hb: answers, and each way in which there is none. Where a
# local call has the same end, it is made, too, and both have to say the same.
#
# What single quotes hold is for inner shells to expand.
# shellcheck disable=SC2016

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# serve HOST [OPTION...] -- COMMAND...: a server there, whose number is in bridge.serve.HOST.runs,
# where it is found when the test has ended.
serve()
{
	local host="$1"

	shift
	nsenter -t "$(cat "host.$host")" -n mailbox serve sums "$@" 2>"serve.$host" &
	echo $! >"bridge.serve.$host.runs"
	await 10 is_served "$host"
}

is_served()
{
	[ "$(figure_on "$1" sums handles)" -ge 1 ]
}

# bridges [MORE [HEARTBEAT-HA HEARTBEAT-HB]]: of ha and hb, with more values for both routes.
bridges()
{
	local heartbeat

	[ -e host.ha ] || hosts || return
	[ -e server.runs ] || server_start || return
	for end in ha:out hb:in; do
		[ $end = ha:out ] && heartbeat=${2:-1s} || heartbeat=${3:-1s}
		bridge_config ${end%:*} <<-END
			- {mailbox: sums, direction: ${end#*:}, policy: call, heartbeat: $heartbeat${1:-}}
		END
		bridge_start ${end%:*} && await 20 on ${end%:*} mailbox stat sums || return
	done
}

# Both bridges, and a server on hb that runs the command.
calls()
{
	bridges && serve hb -- "$@" && await 20 route_is ha sums state running && return
	cat bridge.*.log
	return 1
}

# A server on a host without a bridge, for comparison.
local_calls()
{
	on hc mailbox create sums >out && serve hc -- "$@"
}

call_in_background()
{
	nsenter -t "$(cat "host.$1")" -n mailbox call sums "$2" >"answer.$1" 2>"said.$1" &
	caller=$!
}

# ends CODE: the call in the background, within seconds.
ends()
{
	await "$2" is_gone "$caller" || return
	wait "$caller"
	got=$?
	[ $got -eq "$1" ] || { echo "# ended with $got, not $1"; cat said.* bridge.*.log; return 1; }
}

begun()
{
	await 20 test -e at && rm at
}

test_call_is_answered()
{
	calls sh -c 'read -r x; echo "<$x> $MAILBOX_TYPE $MAILBOX_PRIORITY"' || return
	expect 0 on ha mailbox call sums hello && prints "<hello> 0 0$newline" || return
	expect 0 on ha mailbox call -t 7 -p 3 sums again && prints "<again> 7 3$newline" || return
	await 10 route_is ha sums moved 2 && await 10 route_is hb sums moved 2 &&
		await 10 route_is ha sums in_flight 0 && await 10 route_is hb sums in_flight 0
}

test_call_of_many_bytes()
{
	hosts && bridges ', message_size: 2M' && serve hb -- cat &&
		await 20 route_is ha sums state running || return
	head -c 700000 /dev/urandom >random
	on ha mailbox call sums <random >answer && cmp random answer || return
	# What the server of NATS does not take is not asked.
	head -c 1500000 /dev/zero >long
	expect 15 on ha mailbox call sums <long && says 'did not answer it' || return
	on ha mailbox call sums <random >answer && cmp random answer
}

# The command takes longer than three of the short ones, and less than one of the long ones.
test_different_heartbeats()
{
	bridges '' 200ms 20s && serve hb -- sh -c 'read -r x; usleep 1500000; echo "<$x>"' &&
		await 20 route_is ha sums state running || return
	expect 0 on ha mailbox call sums 1 && prints "<1>$newline" || return
	bridge_stop ha && bridge_stop hb || return
	bridges '' 5s 200ms && await 20 route_is ha sums state running || return
	expect 0 on ha mailbox call sums 2 && prints "<2>$newline"
}

# slow_line HOST: to the server, for the bridge there.
slow_line()
{
	nsenter -t "$(cat "host.$1")" -n /selftests/bridge/slow 4222 10.77.0.1 4222 300000 &
	echo $! >slow.runs
	sed -i 's,nats://10.77.0.1:4222,nats://127.0.0.1:4222,' "bridge.$1.yaml"
	bridge_stop "$1" && bridge_start "$1" && await 30 is_connected "$1"
}

is_connected()
{
	[ "$(on "$1" mailbox bridge status --json | grep -c '"connected":true')" = 1 ]
}

# many_bytes HOST CALLER: over the slow line of that host, by that caller. What takes longer than three
# heartbeats to come is no silence; beside it a call of ha is under way, of which nothing but beats
# is heard.
many_bytes()
{
	hosts ha hb hc && bridges ', message_size: 1M' 600ms 600ms && slow_line "$1" || return
	if [ "$2" = hc ]; then
		sed 's/host: ha/host: hc/; s/state.ha/state.hc/' bridge.ha.yaml >bridge.hc.yaml
		bridge_start hc && await 20 on hc mailbox stat sums || return
	fi
	serve hb -j 2 -- sh -c 'read -r x; cat >null; [ "$x" != wait ] ||
		{ echo >at; read -r _ <go; }; head -c 700000 random' &&
		await 20 route_is ha sums state running &&
		await 20 route_is "$2" sums state running || return
	head -c 700000 /dev/urandom >random
	mkfifo go && exec 3<>go
	call_in_background ha wait && begun || return
	on "$2" mailbox call sums <random >answer && cmp random answer || return
	echo >&3
	exec 3>&-
	ends 0 20 && cmp random answer.ha
}

test_callers_line_is_slow()
{
	many_bytes ha ha
}

test_servers_line_is_slow()
{
	many_bytes hb hc
}

test_answer_that_is_too_long()
{
	calls sh -c 'read -r n; head -c "$n" /dev/zero' || return
	expect 15 on ha mailbox call sums 2000000 && says 'did not answer it' || return
	expect 0 on ha mailbox call sums 500000 && [ "$(wc -c <out)" -eq 500000 ]
}

test_caller_gives_up()
{
	mkfifo go && exec 3<>go
	calls sh -c 'echo >at; read -r _ <go; echo late' || return
	expect 6 on ha mailbox call --timeout 2s sums x && says 'there is no answer' || return
	begun && await 10 route_is hb sums in_flight 0 || return
	echo >&3
	await 10 contains 'was done after its caller had given up' serve.hb || return
	exec 3>&-
	await 10 figure_on_is hb sums messages 0
}

# The same exit code and sentence as of a local call.
test_server_is_killed()
{
	hosts ha hb hc || return
	local_calls sh -c 'echo >at; exec sleep 1000' && call_in_background hc x && begun || return
	ended bridge.serve.hc.runs KILL && ends 15 10 || return
	calls sh -c 'echo >at; exec sleep 1000' && call_in_background ha x && begun || return
	ended bridge.serve.hb.runs KILL && ends 15 10 && cmp said.hc said.ha
}

test_command_fails()
{
	hosts ha hb hc || return
	local_calls sh -c 'echo half; exit 3' && call_in_background hc x && ends 15 20 || return
	calls sh -c 'echo half; exit 3' && call_in_background ha x && ends 15 20 &&
		cmp said.hc said.ha && [ ! -s answer.ha ]
}

test_nobody_serves_and_then_somebody_does()
{
	hosts ha hb hc && on hc mailbox create sums >out && call_in_background hc x &&
		ends 15 10 || return
	bridges || return
	call_in_background ha x
	ends 15 10 && cmp said.hc said.ha || return
	serve hb -- cat && await 20 route_is ha sums state running || return
	expect 0 on ha mailbox call sums x && prints x || return
	# And gone again, in order: callers hear at once.
	ended bridge.serve.hb.runs TERM
	await 20 route_is ha sums state away || return
	expect 15 on ha mailbox call sums x && says 'nobody can receive'
}

test_host_is_cut_off()
{
	calls sh -c 'echo >at; exec sleep 1000' && call_in_background ha x && begun || return
	cut_off hb
	ends 15 6 && contains 'did not answer it' said.ha || return
	# The other side has given it up, too.
	await 10 route_is hb sums in_flight 0 || return
	mend hb && await 60 route_is ha sums state running
}

test_bridge_of_server_is_killed()
{
	calls sh -c 'read -r x; [ $x = fast ] || { echo >at; exec sleep 1000; }; echo $x' || return
	call_in_background ha x && begun || return
	bridge_kill hb
	ends 15 6 || return
	ended bridge.serve.hb.runs KILL
	bridge_start hb && serve hb -- cat && await 30 route_is ha sums state running || return
	expect 0 on ha mailbox call sums x && prints x
}

test_bridge_of_caller_is_killed()
{
	calls sh -c 'echo >>tally; echo >at; exec sleep 1000' && call_in_background ha x && begun ||
		return
	bridge_kill ha
	ends 15 6 && contains 'did not answer it' said.ha || return
	await 10 route_is hb sums in_flight 0 || return
	# It is not done again.
	bridge_start ha && await 20 route_is ha sums state running || return
	[ "$(wc -l <tally)" -eq 1 ] && [ "$(route ha sums moved)" = 0 ]
}

# many WINDOW JOBS: 20 callers, each gets its own answer, and nothing is done twice.
many()
{
	local number pids=

	bridges ", window: $1" &&
		serve hb -j "$2" -- sh -c 'read -r x; echo $x >>tally; echo "<$x>"' &&
		await 20 route_is ha sums state running || return
	for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		on ha mailbox call sums $number >answer.$number 2>&1 &
		pids="$pids $!"
	done
	for number in $pids; do
		wait "$number" || { cat answer.* bridge.*.log; return 1; }
	done
	for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ "$(cat answer.$number)" = "<$number>" ] || return
	done
	[ "$(wc -l <tally)" -eq 20 ]
}

test_many_callers()
{
	many 32 4
}

test_more_callers_than_the_window()
{
	many 2 1
}

# Programs that rpcgen has made, and that know of no host.
test_remote_procedure_calls()
{
	hosts && server_start || return
	for end in ha:out hb:in; do
		bridge_config ${end%:*} <<-END
			- {mailbox: count, direction: ${end#*:}, policy: call, heartbeat: 1s}
		END
		bridge_start ${end%:*} && await 20 on ${end%:*} mailbox stat count || return
	done
	nsenter -t "$(cat host.hb)" -n /selftests/stubs/count_server count 2 2>server.said &
	echo $! >bridge.serve.hb.runs
	await 20 route_is ha count state running || return
	busybox wc -lwc /etc/passwd | awk '{ print $1, $2, $3, $4 }' >wanted
	on ha /selftests/stubs/count_client count /etc/passwd >out 2>err && cmp wanted out || return
	expect 1 on ha /selftests/stubs/count_client count /nowhere || return
	cat out err >said && contains '/nowhere: No such file' said || return
	on hb mailbox rm count
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
