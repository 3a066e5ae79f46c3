#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Three servers, which keep each message three times: one of them is killed in mid flow.

# shellcheck source=bridge/hosts.sh
. "$(dirname "$0")/bridge/hosts.sh"

# All three are on h0: n1 has the usual ports, the others those behind.
servers="n1 n2 n3"
server=nats://10.77.0.1:4222,nats://10.77.0.1:4223,nats://10.77.0.1:4224

# port SERVER FIRST
port()
{
	echo $(($2 + ${1#n} - 1))
}

# node_start SERVER: of the cluster.
node_start()
{
	cat >"$1.conf" <<-END
		server_name: $1
		listen: 10.77.0.1:$(port "$1" 4222)
		http: 10.77.0.1:$(port "$1" 8222)
		jetstream { store_dir: $PWD/store.$1, max_mem: 16M, max_file: 64M }
		cluster {
			name: mailboxes
			listen: 10.77.0.1:$(port "$1" 6222)
			routes: [nats://10.77.0.1:6222, nats://10.77.0.1:6223, nats://10.77.0.1:6224]
		}
	END
	nsenter -t "$(cat host.h0)" -n /usr/sbin/nats-server -c "$PWD/$1.conf" >>"$1.log" 2>&1 &
	echo $! >"$1.runs"
}

# node_says SERVER WHAT: JSON of its monitoring port.
node_says()
{
	on h0 wget -q -O - "http://10.77.0.1:$(port "$1" 8222)/$2" | tr -d ' \n'
}

# The cluster has chosen who leads it, which makes and places streams.
is_formed()
{
	node_says n1 jsz >says && grep -q '"meta_cluster":{[^}]*"leader":"n' says
}

# leader SERVER: of the stream mbx-jobs, as that server knows it.
leader()
{
	node_says "$1" 'jsz?streams=1' |
		sed -n 's/.*"name":"mbx-jobs",.*"cluster":{"name":"mailboxes","leader":"\([^"]*\)".*/\1/p'
}

has_leader()
{
	[ "$(leader "$1")" ]
}

# Each server has the stream, and two others are as far as who leads it.
is_whole()
{
	local node

	node=$(leader n1)
	[ "$node" ] && node_says "$node" 'jsz?streams=1' | sed 's/.*"name":"mbx-jobs"//' >says &&
		! grep -q '"current":false' says && [ "$(grep -o '"current":true' says | wc -l)" -ge 2 ]
}

# on_server HOST SERVER: its bridge is connected to that.
on_server()
{
	on "$1" mailbox bridge status --json | grep -q "\"url\":\"nats://10.77.0.1:$(port "$2" 4222)\""
}

# What there is to see when a test has failed, which this says.
logs()
{
	local node

	{
		tail -n 20 bridge.*.log
		tail -n 10 n?.log
		on ha mailbox bridge status
		on hb mailbox bridge status
		for node in $servers; do
			node_says "$node" 'jsz?consumers=1'
			echo
		done
	} 2>&1 | sed 's/^/#   /'
	return 1
}

# lines FILE COUNT: has as many, or more.
lines()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# flow FIRST LAST: these numbers go from ha to hb, into the file got.
flow()
{
	local receiver

	nsenter -t "$(cat host.hb)" -n timeout 60 mailbox receive --lines --count $(($2 - $1 + 1)) \
		jobs >got &
	receiver=$!
	seq "$1" "$2" | on ha mailbox send --lines jobs && wait $receiver
}

# came_once FIRST LAST: each of these numbers, and nothing more.
came_once()
{
	sort -n got >sorted
	if ! seq "$1" "$2" | cmp - sorted; then
		echo "# of $1 to $2 came $(wc -l <got), $(uniq sorted | wc -l) different"
		logs || return
	fi
	# Not a promise where a server refuses some, or takes what it was handing over with it.
	sort -nc got 2>/dev/null || echo "# not in order"
	await 30 route_is hb jobs lag 0 && await 30 route_is ha jobs lag 0 || logs || return
	figure_on_is hb jobs messages 0 || logs
}

test_server_that_leads_is_killed_in_mid_flow()
{
	local node dead other

	hosts || return
	for node in $servers; do
		node_start "$node"
	done
	await 60 is_formed || logs || return
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out, window: 16, stream: {replicas: 3}}
	END
	bridge_config hb <<-END
		- {mailbox: jobs, direction: in, stream: {replicas: 3}, ack_wait: 2s}
	END
	bridge_start hb || return
	await 60 route_is hb jobs state running && await 60 has_leader n1 || logs || return
	dead=$(leader n1)
	# Of three addresses a bridge takes any: until it is that one.
	bridge_start ha && await 60 route_is ha jobs state running || logs || return
	while ! on_server ha "$dead"; do
		bridge_stop ha && bridge_start ha && await 60 route_is ha jobs state running ||
			logs || return
	done

	flow 1 600 &
	echo $! >flow.runs
	await 60 lines got 100 || logs || return
	ended "$dead.runs" KILL || return
	echo "# $dead killed when $(wc -l <got) messages had come"
	await 60 is_gone "$(cat flow.runs)" || logs || return
	came_once 1 600 || return

	# It comes back, and two are enough again: of those without it only one is left.
	node_start "$dead"
	await 60 is_whole || logs || return
	for node in $servers; do
		[ "$node" = "$dead" ] || [ "$node" = "$(leader n1)" ] || other=$node
	done
	ended "$other.runs" KILL || return
	flow 601 610 || logs || return
	came_once 601 610
}

# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
