#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A server that has forgotten what it was told, as one that is killed has: what it gives again does not
# come again, also where the bridge was killed meanwhile.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# What the server knows now is put aside, and is all that it will know after forget().
remember()
{
	server_stop && cp -a store store.then && server_start
}

forget()
{
	server_kill && rm -r store && mv store.then store && server_start
}

test_what_was_received_does_not_come_again()
{
	hosts && server_start || return
	# What nobody has received yet is pending at the server. Ids are known for less than ack_wait.
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out, stream: {duplicates: 500ms}}
	END
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in, stream: {duplicates: 500ms}, ack_wait: 2s,
		   confirm: acknowledged}
	END
	bridge_start ha && bridge_start hb && await 30 route_is ha jobs state running &&
		await 30 route_is hb jobs state running || logs || return
	seq 50 | on ha mailbox send --lines jobs || return
	await 30 pending_is any-p0 50 && await 30 figure_on_is hb jobs messages 50 && remember &&
		await 30 route_is hb jobs state running || logs || return
	on hb mailbox receive --lines --count 50 --timeout 30s jobs >got || logs || return
	sort -n got >sorted && seq 50 | cmp - sorted || logs || return
	await 30 pending_is any-p0 0 || logs || return

	bridge_kill hb && forget && bridge_start hb || logs || return
	await 30 route_is hb jobs known 50 && await 30 pending_is any-p0 0 || logs || return
	figure_on_is hb jobs messages 0 || logs || return
	# Others do come.
	on ha mailbox send jobs 51 && expect 0 on hb mailbox receive --timeout 30s jobs &&
		prints 51 && return
	logs
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
