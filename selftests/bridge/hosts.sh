# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC2034,SC3043
#
# Several hosts in one machine: each is a network namespace, which has mailboxes of its own. The
# host h0 has the server, 10.77.0.1; ha, hb and hc have 10.77.0.2 to 10.77.0.4, each with a line of
# its own to h0. Tests source this, define functions named test_*, and source cli.sh at their
# end. After each test the hosts and what runs on them are gone.

server=nats://10.77.0.1:4222

if [ ! -x /usr/sbin/nats-server ] || ! command -v mailbox-bridge >/dev/null; then
	echo "1..0 # SKIP this machine has no nats-server and no mailbox-bridge"
	exit 4
fi
if ! grep -q '^veth ' /proc/modules && ! insmod /vm/veth.ko 2>/dev/null; then
	echo "1..0 # SKIP this kernel has no veth, so there are no networks between hosts"
	exit 4
fi

# await SECONDS COMMAND...: until it succeeds. Nothing is printed but that it never did. That long it may
# take on a machine that is idle; on a busy one MAILBOX_PATIENCE times that.
await()
{
	local seconds="$1" end

	shift
	end=$(($(cut -d. -f1 /proc/uptime) + seconds * ${MAILBOX_PATIENCE:-3} * ${MAILBOX_SLOW:-1}))
	until "$@" >/dev/null 2>&1; do
		if [ "$(cut -d. -f1 /proc/uptime)" -gt $end ]; then
			echo "# not in $seconds s: $*"
			return 1
		fi
		usleep 20000
	done
}

# on HOST COMMAND...: there.
on()
{
	local host="$1"

	shift
	nsenter -t "$(cat "host.$host")" -n "$@"
}

host_is_there()
{
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# host_up NAME: without a line.
host_up()
{
	unshare -n sleep 100000 &
	echo $! >"host.$1"
	await 10 host_is_there $! && on "$1" ip link set lo up
}

# line NAME ADDRESS: between h0 and that host. The other end is made with it, named veth0 there.
line()
{
	ip link add "$1" type veth peer name "to-$1" 2>/dev/null || ip link add "$1" type veth ||
		return
	[ -e "/sys/class/net/to-$1" ] || ip link set veth0 name "to-$1" || return
	ip link set "$1" netns "$(cat host.h0)" && ip link set "to-$1" netns "$(cat "host.$1")" &&
		on h0 ip addr add 10.77.0.1 peer "$2" dev "$1" && on h0 ip link set "$1" up &&
		on "$1" ip addr add "$2" peer 10.77.0.1 dev "to-$1" &&
		on "$1" ip link set "to-$1" up
}

# hosts [NAME...]: ha and hb, unless others are named.
hosts()
{
	local name address

	[ $# -gt 0 ] || set -- ha hb
	host_up h0 || return
	for name; do
		case $name in
		ha) address=10.77.0.2 ;;
		hb) address=10.77.0.3 ;;
		hc) address=10.77.0.4 ;;
		esac
		host_up "$name" && line "$name" $address || return
	done
}

# cut HOST and mend HOST: its line. What is on the way is lost.
cut_off()
{
	on h0 ip link set "$1" down
}

mend()
{
	on h0 ip link set "$1" up
}

# The configuration of the server: what it adds to this is in the file server.more.
server_config()
{
	cat <<-END
		listen: 10.77.0.1:4222
		http: 10.77.0.1:8222
		pid_file: $PWD/server.pid
		jetstream { store_dir: $PWD/store, max_mem: 64M, max_file: ${store_max:-256M} }
	END
	cat server.more 2>/dev/null
}

# Prints JSON of the monitoring port, such as jsz.
server_says()
{
	on ha wget -q -O - "http://10.77.0.1:8222/$1"
}

server_start()
{
	server_config >server.conf
	# Not by on(): the number is to be that of the server, not of a shell.
	nsenter -t "$(cat host.h0)" -n /usr/sbin/nats-server -c "$PWD/server.conf" >>server.log 2>&1 &
	echo $! >server.runs
	await 30 server_says jsz || { cat server.log; return 1; }
}

# is_gone PID
is_gone()
{
	! [ -e "/proc/$1/stat" ] || [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = Z ]
}

# ended FILE SIGNAL: sends it to the process whose number the file has, and waits for its end.
ended()
{
	[ -e "$1" ] || return 0
	kill "-$2" "$(cat "$1")" 2>/dev/null
	await 60 is_gone "$(cat "$1")" || return
	wait "$(cat "$1")" 2>/dev/null
	rm "$1"
}

server_stop()
{
	ended server.runs TERM
}

server_kill()
{
	ended server.runs KILL
}

# bridge_config HOST: standard input are the routes; what is said of the server is in $bridge_server.
bridge_config()
{
	{
		printf 'host: %s\nstate: %s\nserver:\n  urls: [%s]\n%s\nroutes:\n' "$1" \
			"$PWD/state.$1" "$server" "${bridge_server:-}"
		cat
	} >"bridge.$1.yaml"
}

bridge_start()
{
	nsenter -t "$(cat "host.$1")" -n mailbox-bridge "$PWD/bridge.$1.yaml" \
		>>"bridge.$1.log" 2>&1 &
	echo $! >"bridge.$1.runs"
}

bridge_stop()
{
	ended "bridge.$1.runs" TERM
}

bridge_kill()
{
	ended "bridge.$1.runs" KILL
}

# Ends the server, which says what it was doing: of streams and consumers a line for each goroutine.
server_stacks()
{
	[ -e server.runs ] && ended server.runs QUIT || return
	awk -v RS= '/^goroutine/ && /consumer|stream/ {
		gsub(/\n\t[^\n]*/, "")
		gsub(/\ncreated by [^\n]*|\nruntime\.[^\n]*|github.com\/nats-io\/nats-server\/server\./, "")
		gsub(/\([^()*]*\)(\n|$)/, "\n")
		gsub(/\n/, " ")
		print
	}' server.log
}

# What there is to see when a test has failed, which this says. The server has ended then.
logs()
{
	local host page

	{
		tail -n 20 bridge.*.log server.log
		for host in ha hb hc; do
			[ ! -e host.$host ] || on $host mailbox bridge status
			[ ! -e host.$host ] || on $host mailbox ls
		done
		for page in 'jsz?consumers=1' 'connz?subs=1'; do
			server_says "$page" | tr -d ' \n'
			echo
		done
		server_stacks
	} 2>&1 | sed 's/^/#   /'
	return 1
}

# route HOST ROUTE FIGURE: as 'mailbox bridge status' has it.
route()
{
	on "$1" mailbox bridge status --json |
		sed -n "s/.*{\"name\":\"$2\",[^{]*\"$3\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# route_is HOST ROUTE FIGURE VALUE
route_is()
{
	[ "$(route "$1" "$2" "$3")" = "$4" ]
}

# consumer NAME FIGURE...: what the server says of it at one time, a line each.
consumer()
{
	local name="$1" figure

	shift
	{
		server_says 'jsz?consumers=true' | tr -d ' \n' | sed "s/.*\"name\":\"$name\"//"
		echo
	} >consumer.says
	for figure; do
		sed -e "s/\"$figure\":\([0-9]*\).*/ \1/" -e 's/.* //' consumer.says
	done
}

# pending CONSUMER: messages that the server has given to somebody who has not acknowledged them.
pending()
{
	consumer "$1" num_ack_pending
}

pending_is()
{
	[ "$(pending "$1")" -eq "$2" ]
}

# A figure of a mailbox on a host.
figure_on()
{
	on "$1" mailbox stat --json "$2" | sed -n "s/.*[{,]\"$3\":\([^,}]*\).*/\1/p"
}

figure_on_is()
{
	[ "$(figure_on "$1" "$2" "$3")" = "$4" ]
}

# Called by cli.sh when a test has ended.
after_test()
{
	local file

	for file in *.runs host.*; do
		[ ! -e "$file" ] || ended "$file" KILL
	done
	# Of what else a test has left on its hosts.
	wait
}
