#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Calls from host ha to a server on host hb: answers, and each way in which there is none.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# Both bridges, and a server on hb that runs the command.
calls()
{
	hosts && server_start || return
	bridge_config ha <<-END
		- {mailbox: sums, direction: out, policy: call, heartbeat: 300ms}
	END
	bridge_config hb <<-END
		- {mailbox: sums, direction: in, policy: call, heartbeat: 300ms, window: 16}
	END
	bridge_start ha && bridge_start hb || return
	await 20 on hb mailbox stat sums || return
	nsenter -t "$(cat host.hb)" -n mailbox serve sums -- "$@" 2>serve.err &
	echo $! >serve.runs
	await 20 route_is ha sums state running || { cat bridge.*.log; return 1; }
}

test_call_is_answered()
{
	calls sh -c 'read -r x; echo "<$x>"' || return
	expect 0 on ha mailbox call sums hello && prints "<hello>$newline" || { cat bridge.*.log; return 1; }
	on ha mailbox call sums again >out && prints "<again>$newline" || return
	route_is ha sums moved 2
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
