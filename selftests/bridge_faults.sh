#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a bridge does when the disk of the server is full, when a host is cut off for longer than the
# server remembers, with keys and certificates, and what several hosts get of a broadcast.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"
here=$(readlink -f "$(dirname "$0")")

# pair OF-HA OF-HB: one route on each, with more of its values.
pair()
{
	printf -- '- {mailbox: jobs, direction: out%s}\n' "${1:+, $1}" | bridge_config ha
	printf -- '- {mailbox: jobs, direction: in%s}\n' "${2:+, $2}" | bridge_config hb
}

both_run()
{
	bridge_start ha && bridge_start hb || return
	await 30 route_is ha jobs state running && await 30 route_is hb jobs state running && return
	cat bridge.*.log
	return 1
}

# Messages with numbers 1 to so many, each of 10 kilobytes.
send_long()
{
	local number

	for number in $(seq "$1"); do
		printf '%s %010000d' "$number" 0 | on ha mailbox send jobs || return
	done
}

# numbers COUNT: that many come on hb, each once.
numbers()
{
	on hb mailbox receive --lines --count "$1" --timeout 60s jobs | cut -d' ' -f1 | sort -n >got
	seq "$1" | cmp - got && return
	tail -n 5 bridge.*.log
	return 1
}

test_disk_of_the_server_is_full()
{
	mkdir store && mount -t tmpfs -o size=512k small store || return
	# No after_test() of its own: the server has it open until it ends.
	hosts && server_start || return
	pair 'window: 8' 'window: 8'
	bridge_start ha && await 30 route_is ha jobs state running || return
	send_long 100 || { umount -l store; return 1; }
	await 60 route_is ha jobs state refused || { cat bridge.ha.log; umount -l store; return 1; }
	# The rest is where it was.
	[ "$(figure_on ha jobs messages)" -gt 40 ] || return
	# It has stopped JetStream, and waits for somebody who makes room and starts it again.
	mount -o remount,size=64m store && server_kill && server_start && bridge_start hb || return
	await 60 on hb mailbox stat jobs && numbers 100 && await 30 figure_on_is ha jobs messages 0
	set -- $?
	server_kill
	umount -l store
	return "$1"
}

# Streams, consumers and what was in them: another disk. Messages that a bridge had not yet sent are
# not lost with it.
test_store_of_the_server_is_lost()
{
	hosts && server_start || return
	pair '' '' && both_run || return
	on ha mailbox send jobs before || return
	expect 0 on hb mailbox receive --timeout 30s jobs && prints before || return
	await 30 route_is hb jobs lag 0 && server_kill && rm -r store || return
	await 30 route_is ha jobs state away || return
	on ha mailbox send jobs after && server_start || return
	expect 0 on hb mailbox receive --timeout 60s jobs && prints after && return
	tail -n 5 bridge.*.log
	return 1
}

test_cut_for_longer_than_the_window()
{
	hosts && server_start || return
	pair 'stream: {duplicates: 500ms}' 'stream: {duplicates: 500ms}, ack_wait: 60s' && both_run || return
	seq 20000 >want
	nsenter -t "$(cat host.ha)" -n mailbox send --lines jobs <want &
	echo $! >send.runs
	nsenter -t "$(cat host.hb)" -n mailbox receive --lines --timeout 60s --count 20000 jobs >got &
	echo $! >receive.runs
	await 60 test -s got && cut_off ha || return
	await 60 route_is ha jobs state away && mend ha || return
	await 120 route_is ha jobs state running || return
	await 120 figure_on_is ha jobs messages 0 && await 60 route_is hb jobs lag 0 || return
	# What came twice is beyond the count: all of it, then.
	ended receive.runs TERM
	on hb mailbox receive --lines --all jobs >>got
	sort -nu got | cmp - want || return
	# No more than it says, and it says so where there is any.
	[ $(($(wc -l <got) - 20000)) -le "$(route ha jobs late)" ]
}

test_broadcast_comes_to_each_host_in_one_order()
{
	local host

	hosts ha hb hc && server_start || return
	printf -- '- {mailbox: news, direction: out, policy: broadcast}\n' | bridge_config ha
	for host in hb hc; do
		printf -- '- {mailbox: news, direction: in, policy: broadcast}\n' | bridge_config $host
		bridge_start $host && await 30 route_is $host news state running || return
	done
	bridge_start ha && await 30 route_is ha news state running || return
	seq 200 >want
	on ha mailbox send --lines news <want || return
	for host in hb hc; do
		on $host mailbox receive --lines --count 200 --timeout 60s news >got.$host
		cmp want got.$host || { tail -n 5 bridge.*.log; return 1; }
	done
}

# encrypted_server: with a key, and only for who has one, too.
encrypted_server()
{
	cat >server.more <<-END
		tls {
			cert_file: $here/bridge/tls/server.pem
			key_file: $here/bridge/tls/server.key
			ca_file: $here/bridge/tls/ca.pem
			verify: true
		}
	END
	server_start
}

test_keys_and_certificates()
{
	local keys="$here/bridge/tls"

	hosts && encrypted_server || return
	bridge_server="  tls: {ca: $keys/ca.pem, certificate: $keys/client.pem, key: $keys/client.key}"
	pair '' '' && both_run || return
	on ha mailbox send jobs secret || return
	expect 0 on hb mailbox receive --timeout 30s jobs && prints secret || return
	bridge_stop hb

	# Without a certificate it is not let in, and says so.
	bridge_server="  tls: {ca: $keys/ca.pem}"
	pair '' '' && bridge_start hb || return
	await 30 grep -q 'the connection is refused' bridge.hb.log || { cat bridge.hb.log; return 1; }
	bridge_server=
	[ "$(on hb mailbox bridge status --json | grep -c '"connected":true')" = 0 ]
}

test_password()
{
	hosts || return
	echo 'authorization { user: bridge, password: "open sesame" }' >server.more
	echo 'open sesame' >right
	echo 'open barley' >wrong
	server_start || return
	bridge_server="  user: bridge
  password_file: $PWD/right"
	pair '' '' && both_run || return
	on ha mailbox send jobs hello || return
	expect 0 on hb mailbox receive --timeout 30s jobs && prints hello || return
	bridge_stop hb
	bridge_server="  user: bridge
  password_file: $PWD/wrong"
	pair '' '' && bridge_start hb || return
	await 30 grep -qi 'authori' bridge.hb.log || { cat bridge.hb.log; return 1; }
	bridge_server=
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
