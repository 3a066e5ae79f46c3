#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many messages from host ha to host hb, while bridges are killed, the server is killed and a line is
# cut: each arrives once, and none is missing.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# All of them on one kernel; the others have the same programs, and fewer will do.
case $(uname -r) in
6.1.*)	count=100000 ;;
*)	count=20000 ;;
esac
count=$((count * ${MAILBOX_EFFORT:-100} / 100))

received()
{
	[ "$(wc -l <got)" -ge "$1" ]
}

# Whether the server waits for nothing but messages that it has tried to give again, and not found.
all_came_again()
{
	# shellcheck disable=SC2046 # three words are meant
	set -- $(consumer any-p0 num_pending num_ack_pending num_redelivered)
	[ "$1" = 0 ] && [ "$2" = "$3" ]
}

test_each_of_many_arrives_once()
{
	hosts && server_start || return
	bridge_config ha <<-END
		- {mailbox: many, direction: out, window: 1024}
	END
	# The server is killed more than once in that time, and gives again what was before.
	bridge_config hb <<-END
		- {mailbox: many, direction: in, window: 1024, ack_wait: 10s}
	END
	bridge_start ha && bridge_start hb || return
	await 20 route_is ha many state running && await 20 route_is hb many state running || return
	seq "$count" >want
	nsenter -t "$(cat host.ha)" -n mailbox send --lines many <want &
	echo $! >send.runs
	nsenter -t "$(cat host.hb)" -n mailbox receive --lines --count "$count" many >got &
	echo $! >receive.runs

	# It has forgotten what was acknowledged to it last, and gives that again, some of it when the
	# bridge has been killed, too.
	await 60 received $((count / 20)) && server_kill && server_start || logs || return
	await 60 received $((count / 10)) && server_kill && server_start || logs || return
	await 60 received $((count / 5)) && bridge_kill hb && bridge_start hb || logs || return
	await 60 received $((count / 4)) && bridge_kill ha && bridge_start ha || logs || return
	await 60 received $((count * 3 / 10)) && server_stop && server_start || logs || return
	await 60 received $((count * 2 / 5)) && cut_off hb && mend hb || logs || return
	await 60 received $((count / 2)) && bridge_kill ha && bridge_kill hb && server_kill &&
		server_start && bridge_start hb && bridge_start ha || logs || return
	await 60 received $((count * 3 / 5)) && bridge_stop hb && bridge_start hb || logs || return
	if ! await 300 is_gone "$(cat receive.runs)"; then
		echo "# $(wc -l <got) of $count have come"
		tail -n 5 bridge.*.log
		on ha mailbox bridge status
		on hb mailbox bridge status
		return 1
	fi
	sort -n got >sorted
	if ! cmp sorted want; then
		echo "# twice: $(uniq -d sorted | wc -l), the first $(uniq -d sorted | head -n 1);" \
			"missing: $(uniq sorted | sort - want | uniq -u | wc -l)"
		tail -n 20 bridge.*.log
		return 1
	fi
	# And nothing comes after them, when what the server may give again has come.
	await 120 all_came_again || logs || return
	figure_on_is ha many messages 0 && figure_on_is hb many messages 0 && return
	logs
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
