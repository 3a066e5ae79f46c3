# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC3043
#
# What tests of 'mailbox bridge status' share; bridge/hosts.sh is there.

# The bridge of ha, with one route out and one in.
start()
{
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out}
		- {mailbox: results, name: back, subject: work.results, direction: in}
	END
	bridge_start ha
}

status_has()
{
	on ha mailbox bridge status "$@" >out 2>err && grep -qF -- "$wanted" out
}

# until_status TEXT [OPTION...]
until_status()
{
	wanted="$1"
	shift
	await 40 status_has "$@" || { cat out err bridge.ha.log; return 1; }
}
