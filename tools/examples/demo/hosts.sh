#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demonstration on several hosts: the job of run.sh, with the producer and the collector on
# host ha and two workers each on hb and hc, joined by bridges through a NATS server on h0. In
# mid-job hc is cut off, for good. Exit status 0: every file was hashed, and right.

cd "$(dirname "$0")" || exit 1
# shellcheck source=lib.sh
. ./lib.sh
# The same hosts as those of the tests.
# shellcheck source=../../../selftests/bridge/hosts.sh
. /selftests/bridge/hosts.sh

# What hc has done when a worker there stands still, and is cut off with all it has.
halt=150
patience=120

clean_up()
{
	# The worker that stands still would do so for ever. Nobody wants to read who is killed.
	exec 2>/dev/null
	killall -KILL mailbox
	killall -KILL hash
	after_test >/dev/null
	cd / && rm -rf "$work"
}
trap clean_up EXIT

prepare_hosts()
{
	local host

	say "2. Three hosts and a NATS server"
	hosts ha hb hc || fail "cannot make the hosts"
	# Some headers are long.
	echo 'max_payload: 4M' >server.more
	server_start || fail "the server does not start"
	for host in ha hb hc; do
		if ! on $host mailbox create --max-messages=256 --max-bytes=4M jobs >>ids ||
			! on $host mailbox create --max-bytes=4M results >>ids; then
			fail "cannot create the mailboxes of $host"
		fi
	done
	# What a host that dies had taken is given to another after ack_wait.
	bridge_config ha <<-END
		- {mailbox: jobs, direction: out, stream: {max_messages: 256}}
		- {mailbox: results, direction: in}
	END
	for host in hb hc; do
		bridge_config $host <<-END
			- {mailbox: jobs, direction: in, confirm: acknowledged, ack_wait: 5s, window: 64}
			- {mailbox: results, direction: out}
		END
	done
	for host in ha hb hc; do
		bridge_start $host
	done
	for host in ha hb hc; do
		if ! await 30 route_is $host jobs state running ||
			! await 30 route_is $host results state running; then
			fail "the bridge of $host does not run: $(cat bridge.$host.log)"
		fi
	done
	for host in ha hb hc; do
		printf '\n%s\n' "'mailbox bridge status' on $host:"
		on $host mailbox bridge status
	done
}

# worker HOST NUMBER [HALT]: becomes one, rather than to wait for it and tell that it was killed.
worker()
{
	local host="$1"

	shift
	exec nsenter -t "$(cat "host.$host")" -n mailbox work jobs -- "$demo/bin/hash" "$@"
}

start_parts()
{
	say "3. The job: a producer and a collector on ha, two workers each on hb and hc"
	on ha "$demo/bin/collector" --once list "$total" &
	collector=$!
	worker hb 1 &
	worker hb 2 &
	worker hc 3 &
	mkfifo held
	worker hc 4 $halt >held &
	(cd "$demo/tree" && exec nsenter -t "$(cat "$work/host.ha")" -n "$demo/bin/producer") \
		<paths >produced &
	producer=$!
}

cut_hc_off()
{
	local path

	read -r path <held || fail "no worker of hc ever stood still"
	cut_off hc || fail "cannot cut hc off"
	printf '\n%s\n' "${bold}hc is cut off, with worker 4 at $path$plain"
	echo "jobs that hc has and nobody there has finished: $(figure_on hc jobs messages)"
	await $patience route_is ha results state running || fail "the bridge of ha stands still"
}

finish_parts()
{
	wait $producer || fail "the producer failed"
	wait $collector || fail "the collector failed"
	took=$(since "$start")
	printf '\n%s\n' "producer: $(cat produced)"
	echo "from the first job to the last result: $took s"
	printf '\n%s\n' "'mailbox bridge status' on hb, which did the rest:"
	on hb mailbox bridge status
}

compare()
{
	local nr missing wrong

	say "4. The comparison"
	sort list >got
	only_in expected got >missing
	only_in got expected >wrong
	nr=$(wc -l <got) missing=$(wc -l <missing) wrong=$(wc -l <wrong)
	echo "$total files, $nr hashes, $wrong of them wrong, $missing missing"
	[ "$wrong" -eq 0 ] || fail "some hashes are wrong: $(head -n 5 wrong)"
	[ "$missing" -eq 0 ] || fail "some hashes are missing: $(head -n 5 missing)"
	[ "$nr" -eq "$total" ] || fail "$nr hashes came, $total should have"
}

make_expected || fail "cannot hash the tree"
cd "$work" || exit 1
prepare_hosts
start=$(cut -d' ' -f1 /proc/uptime)
start_parts
cut_hc_off
finish_parts
compare
printf '\n%s\n' "${green}OK: all of the $total files were hashed, and right, though a host was lost on the way.$plain"
