#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The hosts that the other tests of the bridge stand on.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

test_names_of_mailboxes_are_of_a_host()
{
	hosts || return
	on ha mailbox create jobs >out && on ha mailbox send jobs here || return
	expect 3 on hb mailbox stat jobs || return
	on hb mailbox create jobs >out || return
	expect 5 on hb mailbox receive --nonblock jobs || return
	expect 0 on ha mailbox receive jobs && prints here
}

test_a_line_is_cut_and_mended()
{
	hosts ha hb hc && server_start || return
	await 10 on hc wget -q -O /dev/null http://10.77.0.1:8222/varz || return
	cut_off hc || return
	! on hc timeout 2 wget -q -O /dev/null http://10.77.0.1:8222/varz || return
	on hb wget -q -O /dev/null http://10.77.0.1:8222/varz || return
	mend hc || return
	await 10 on hc wget -q -O /dev/null http://10.77.0.1:8222/varz
}

test_message_from_host_to_host()
{
	hosts && server_start || return
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out}
	END
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in}
	END
	bridge_start ha && bridge_start hb || return
	await 20 on ha mailbox stat jobs && await 20 on hb mailbox stat jobs || return
	on ha mailbox send jobs --type 7 -p 3 hello || return
	expect 0 on hb mailbox receive --timeout 20s --json jobs || { cat bridge.*.log; return 1; }
	contains '"type":7' && contains '"priority":3' && contains '"payload":"hello"'
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
