#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Servers that are not there, or do not do what a bridge needs: what it says, and that it goes on.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"
# shellcheck source=bridge/status.sh
. "$(dirname "$0")/bridge/status.sh"

# A server that does not let it in ends the connection for good: another is made.
test_refused_and_let_in()
{
	hosts ha || return
	echo 'authorization { token: secret }' >server.more
	server_start && start || return
	until_status 'Authorization Violation' || return
	contains 'the connection is refused: Authorization Violation' bridge.ha.log || return
	server_stop && rm server.more && server_start || return
	until_status "connected to $server" && await 30 route_is ha jobs state running
}

test_no_permission()
{
	local bridge_server

	hosts ha || return
	cat >server.more <<-END
		authorization {
			users: [{user: bridge, password: pw, permissions: {publish: "other"}}]
		}
	END
	echo pw >password
	bridge_server="  user: bridge
  password_file: $PWD/password"
	server_start && start || return
	until_status 'does not permit the bridge to use JetStream' && contains refused
}

test_server_without_jetstream()
{
	hosts ha || return
	nsenter -t "$(cat host.h0)" -n /usr/sbin/nats-server -a 10.77.0.1 >server.log 2>&1 &
	echo $! >server.runs
	start || return
	until_status 'the server has no JetStream: start it with --jetstream'
}

test_connected()
{
	hosts ha && start || return
	until_status 'not connected' || return
	server_start || return
	until_status "connected to $server (connection 1)" || return
	until_status running && await 20 route_is ha jobs state running || return
	server_stop || return
	until_status 'not connected' || return
	server_start || return
	until_status "connected to $server (connection 2)"
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
