#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many routes of one bridge: all run, a message goes through each, and both bridges end well.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# config HOST DIRECTION
config()
{
	local number

	for number in $(seq 100); do
		echo "- {mailbox: box$number, create: true, direction: $2, window: 16}"
	done | bridge_config "$1"
}

all_run()
{
	[ "$(on "$1" mailbox bridge status --json | grep -o '"state":"running"' | wc -l)" -eq 100 ]
}

# ends_well HOST: libc says so where it finds its memory overwritten.
ends_well()
{
	local pid

	pid=$(cat "bridge.$1.runs")
	kill -TERM "$pid" && await 60 is_gone "$pid" || return
	wait "$pid" || return
	rm "bridge.$1.runs"
}

test_a_hundred_routes()
{
	local number

	hosts && server_start || return
	config ha out && config hb in || return
	bridge_start ha && bridge_start hb || return
	await 100 all_run ha && await 100 all_run hb || logs || return
	for number in $(seq 100); do
		on ha mailbox send "box$number" "to $number" || return
	done
	for number in $(seq 100); do
		expect 0 on hb mailbox receive --timeout 30s "box$number" && prints "to $number" ||
			logs || return
	done
	ends_well ha || logs || return
	ends_well hb || logs
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
