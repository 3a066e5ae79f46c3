#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bridge outward: what leaves a mailbox is at the server, once, in order and with all that was
# said of it, whatever happens to the server, the stream, the mailbox and the bridge meanwhile.
#
# One host is enough for that: server, bridge and the client of NATS that looks are in it.
#
# What single quotes hold is for other programs to expand.
# shellcheck disable=SC2016

if ! command -v nats-server >/dev/null || ! command -v mailbox-bridge >/dev/null; then
	echo "1..0 # SKIP needs nats-server and mailbox-bridge"
	exit 4
fi
stream=$(dirname "$(readlink -f "$0")")/bridge/stream

# Waits until something is true, such as that a file is there.
until_true()
{
	local tries=0

	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if [ $tries -gt 3000 ]; then
			echo "# never: $*"
			return 1
		fi
		usleep 20000
	done
}

is_gone()
{
	! [ -e "/proc/$1/stat" ] || [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat")" = Z ]
}

# end NAME [SIGNAL]: ends what the file NAME.pid names, and waits for that.
end()
{
	local pid

	[ -e "$1.pid" ] || return 0
	pid=$(cat "$1.pid")
	rm "$1.pid"
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	until_true is_gone "$pid"
}

server()
{
	[ -e server.conf ] || cat >server.conf <<-END
		host: 127.0.0.1
		jetstream { store_dir: "$PWD/store" }
	END
	nats-server -c server.conf >>server.log 2>&1 &
	echo $! >server.pid
	"$stream" wait
}

# bridge: with the routes that standard input has.
bridge()
{
	{
		echo "host: here"
		echo "state: $PWD/state"
		echo "server: {urls: [${server_url:-'nats://127.0.0.1:4222'}]}"
		echo "routes:"
		sed 's/^/  - /'
	} >bridge.yaml
	bridge_again
}

bridge_again()
{
	mailbox-bridge bridge.yaml 2>>bridge.log &
	echo $! >bridge.pid
}

# Whatever the last test has left running.
fresh()
{
	local name

	for name in bridge server; do
		[ ! -e "/tmp/bridge_out.$name" ] || kill -KILL "$(cat "/tmp/bridge_out.$name")" 2>/dev/null
	done
	server || return
	ln -sf "$PWD/server.pid" /tmp/bridge_out.server
	ln -sf "$PWD/bridge.pid" /tmp/bridge_out.bridge
}

logged()
{
	grep -qF -- "$1" bridge.log
}

until_logged()
{
	until_true logged "$1" || { sed 's/^/#   /' bridge.log; return 1; }
}

# sent_more MAILBOX NUMBER: than that, by now.
sent_more()
{
	[ "$(figure "$1" sent)" -gt "$2" ]
}

stream_has()
{
	[ "$("$stream" count "$1")" = "$2" ]
}

is_empty()
{
	[ "$(figure "$1" messages)" = 0 ]
}

# Ends both; what is wrong so far is the result.
finish()
{
	end bridge && end server
}

# are_numbers FROM TO: the payloads in out, in order and each once.
are_numbers()
{
	sed 's/.*\[\(.*\)\]$/\1/' out >got
	seq "$1" "$2" | cmp -s - got && return
	echo "# not the numbers from $1 to $2 in order: $(wc -l <got) lines, $(sort -u got | wc -l) differ"
	seq "$1" "$2" | diff - got | head -n 10 | sed 's/^/#   /'
	return 1
}

test_others_see_all_that_was_said()
{
	fresh || return
	mailbox create jobs >out
	mailbox send --type 18446744073709551615 --priority 7 --expire 1h jobs high || return
	sh -c 'echo $$ >pid; exec mailbox send jobs low' || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, bands: [1], receipts: done, create: true}
	END
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.p1' 1 || return
	contains 'mbx.q.jobs.p1 ' && contains ' Mailbox-Type=18446744073709551615;' &&
		contains ' Mailbox-Priority=7;' && contains ' Mailbox-Expiry=' &&
		contains ' Mailbox-Receipt=here/jobs;' && contains ' [high]' &&
		contains " Nats-Msg-Id=here-$(tr -d - </proc/sys/kernel/random/boot_id)-" || return
	"$stream" remove mbx-jobs || return
	mailbox send jobs high low && until_true is_empty jobs || return
	finish
}

test_others_see_no_more_than_was_said()
{
	fresh || return
	mailbox create jobs >out
	sh -c 'echo $$ >pid; exec mailbox send jobs low' || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 1 || return
	contains 'mbx.q.jobs.p0 ' && contains ' [low]' &&
		contains " Mailbox-Sender=here $(cat pid) $(cat pid) 0 0 " || return
	for name in Type Priority Expiry Deliveries Receipt; do
		! grep -q "Mailbox-$name" out || return
	done
	finish
}

test_order_is_kept_in_each_band()
{
	fresh || return
	mailbox create --max-messages 4000 jobs >out
	seq 1 2000 | mailbox send --lines jobs && seq 1 1000 | mailbox send --lines -p 5 jobs || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, bands: [1, 6], window: 100}
	END
	until_true is_empty jobs || return
	stream_has mbx-jobs 3000 || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 3000 || return
	# The higher ones were first in the mailbox, and so are they at the server.
	cp out all
	grep '^mbx.q.jobs.p1 ' all >out && are_numbers 1 1000 || return
	grep '^mbx.q.jobs.p0 ' all >out && are_numbers 1 2000 || return
	finish
}

test_full_stream_fills_the_mailbox()
{
	local sender

	fresh || return
	mailbox create --max-messages 64 jobs >out
	"$stream" make mbx-jobs 'mbx.q.jobs.*' 50 0 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, window: 16}
	END
	seq 1 1000 | mailbox send --lines jobs &
	sender=$!
	until_logged "stream mbx-jobs is full" && until_figure jobs senders 1 || return
	expect 5 mailbox send --nonblock jobs x || return
	stream_has mbx-jobs 50 || return
	# With room it goes on, and the sender does.
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 1000 || return
	wait $sender && until_true is_empty jobs || return
	# What was refused and what was taken then may have changed places.
	sed 's/.*\[\(.*\)\]$/\1/' out | sort -n >got
	seq 1 1000 | cmp - got || return
	finish
}

test_window_of_one_keeps_order_when_the_stream_is_full()
{
	fresh || return
	mailbox create --max-messages 300 jobs >out
	seq 1 300 | mailbox send --lines jobs || return
	"$stream" make mbx-jobs 'mbx.q.jobs.*' 20 0 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, window: 1}
	END
	until_logged "stream mbx-jobs is full" || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 300 && are_numbers 1 300 || return
	finish
}

test_server_that_is_killed_in_mid_flow()
{
	local sender round

	fresh || return
	mailbox create --max-messages 200 jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, window: 64}
	END
	seq 1 20000 | mailbox send --lines jobs &
	sender=$!
	for round in 1 2 3; do
		until_true sent_more jobs $((round * 1000)) || return
		end server KILL && server || return
	done
	wait $sender && until_true is_empty jobs || return
	stream_has mbx-jobs 20000 || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 20000 && are_numbers 1 20000 || return
	finish
}

test_bridge_that_is_killed_in_mid_flow()
{
	local sender round

	fresh || return
	mailbox create --max-messages 200 jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, window: 64}
	END
	seq 1 20000 | mailbox send --lines jobs &
	sender=$!
	for round in 1 2 3 4 5; do
		until_true sent_more jobs $((round * 1000)) || return
		end bridge KILL && bridge_again || return
	done
	wait $sender && until_true is_empty jobs || return
	stream_has mbx-jobs 20000 || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 20000 && are_numbers 1 20000 || return
	finish
}

test_stopped_bridge_has_nothing_left()
{
	fresh || return
	mailbox create jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_true "$stream" count mbx-jobs || return
	seq 1 500 | mailbox send --lines jobs && end bridge || return
	[ "$(($(figure jobs messages) + $("$stream" count mbx-jobs)))" = 500 ] || return
	[ "$(figure jobs leased)" = 0 ] && [ "$(figure jobs redelivered)" = 0 ] || return
	logged stopped || return
	finish
}

test_server_that_comes_later()
{
	fresh || return
	end server || return
	mailbox create jobs >out && mailbox send jobs 1 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_logged "there is no connection to a server" || return
	mailbox send jobs 3 && server || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 3 && are_numbers 1 3 || return
	finish
}

test_stream_that_was_removed_is_made_again()
{
	fresh || return
	mailbox create jobs >out && mailbox send jobs 1 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_true is_empty jobs && "$stream" remove mbx-jobs || return
	mailbox send jobs 2 3 && until_true is_empty jobs || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 2 && are_numbers 2 3 || return
	finish
}

test_subject_that_is_not_permitted()
{
	fresh || return
	end server || return
	for denied in '"mbx.q.>"' '"nothing"'; do
		cat >server.conf <<-END
			host: 127.0.0.1
			jetstream { store_dir: "$PWD/store" }
			authorization { users = [
				{ user: a, password: a, permissions: { publish: { deny: $denied } } } ] }
		END
		NATS_URL=nats://a:a@127.0.0.1:4222 server || return
		if [ ! -e bridge.pid ]; then
			mailbox create jobs >out && mailbox send jobs 1 2 3 || return
			echo a >password
			{
				echo "host: here"
				echo "state: $PWD/state"
				echo "server: {urls: ['nats://127.0.0.1:4222'], user: a, password_file: $PWD/password}"
				echo "routes: [{mailbox: jobs, direction: out}]"
			} >bridge.yaml
			bridge_again
			until_logged 'Permissions Violation for Publish to "mbx.q.jobs.p0"' || return
			[ "$(figure jobs messages)" = 3 ] || return
			end server || return
		fi
	done
	NATS_URL=nats://a:a@127.0.0.1:4222 expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 3 || return
	are_numbers 1 3 || return
	finish
}

test_message_that_is_too_long()
{
	fresh || return
	end server || return
	cat >server.conf <<-END
		host: 127.0.0.1
		max_payload: 2000
		jetstream { store_dir: "$PWD/store" }
	END
	server || return
	mailbox create jobs >out && mailbox send jobs 1 || return
	head -c 2000 /dev/zero | tr '\0' x | mailbox send -p 3 --type 9 jobs || return
	mailbox send jobs 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_logged "message 2 of mailbox 'jobs' has 2000 bytes" || return
	[ "$(figure jobs messages)" = 3 ] || return
	end bridge || return
	mailbox create dead >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, dead_letter: dead}
	END
	until_true is_empty jobs && until_figure dead messages 1 || return
	expect 0 mailbox receive --json dead && contains '"type":9,' && contains '"priority":3,' || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 2 && are_numbers 1 2 || return
	! grep -qi 'maximum payload' server.log || return
	finish
}

test_message_that_is_too_long_for_the_stream()
{
	fresh || return
	mailbox create jobs >out && mailbox create dead >out
	"$stream" make mbx-jobs 'mbx.q.jobs.*' 0 1000 || return
	mailbox send jobs 1 && head -c 1000 /dev/zero | tr '\0' x | mailbox send --type 9 jobs &&
		mailbox send jobs 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, dead_letter: dead}
	END
	until_true is_empty jobs && until_figure dead messages 1 || return
	expect 0 mailbox receive --json dead && contains '"type":9,' || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 2 && are_numbers 1 2 || return
	finish
}

test_long_messages_go_as_they_are()
{
	fresh || return
	mailbox create --message-size 1M --max-bytes 64M jobs >out
	head -c 900000 /dev/urandom >random
	for number in $(seq 1 40); do
		mailbox send jobs <random || return
		mailbox send jobs "$number" || return
	done
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_true is_empty jobs || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 1 || return
	sed '1s/^.* \[//' out | head -c 900000 | cmp - random || return
	stream_has mbx-jobs 79 || return
	finish
}

test_message_with_files()
{
	fresh || return
	mailbox create jobs >out && mailbox create dead >out
	echo content >file
	mailbox send --fd 3 --type 9 jobs 1 3<file && mailbox send jobs 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, dead_letter: dead}
	END
	until_true is_empty jobs && until_figure dead messages 1 || return
	expect 0 mailbox receive --json dead && contains '"type":9,' || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 1 && are_numbers 2 2 || return
	finish
}

test_mailbox_that_is_destroyed()
{
	fresh || return
	mailbox create jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	mailbox send jobs 1 && until_true is_empty jobs || return
	mailbox rm jobs && until_logged "there is no mailbox 'jobs'" || return
	# Its messages begin with number 1 again: they are others.
	mailbox create jobs >out && mailbox send jobs 2 3 && until_true is_empty jobs || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 3 && are_numbers 1 3 || return
	finish
}

test_mailbox_is_made()
{
	fresh || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, create: true}
	END
	until_true mailbox stat jobs && mailbox send jobs 1 || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 1 && are_numbers 1 1 || return
	mailbox rm jobs && until_true mailbox stat jobs && mailbox send jobs 2 || return
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 1 && are_numbers 2 2 || return
	finish
}

test_expired_messages_do_not_go()
{
	fresh || return
	"$stream" make mbx-jobs 'mbx.q.jobs.*' 1 0 || return
	mailbox create jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	mailbox send jobs 1 && until_true is_empty jobs || return
	mailbox send --expire 200ms jobs 2 && mailbox send jobs 3 || return
	until_logged "is full" && until_figure jobs messages 1 || return
	usleep 300000
	expect 0 "$stream" read mbx-jobs 'mbx.q.jobs.*' 2 && grep -q '\[3\]' out || return
	until_true is_empty jobs || return
	finish
}

test_broadcast_goes_out()
{
	fresh || return
	mailbox create --policy broadcast --max-messages 100 news >out
	bridge <<-END || return
		{mailbox: news, direction: out, window: 32}
	END
	until_figure news subscribers 1 || return
	for hundred in $(seq 0 9); do
		seq $((hundred * 100 + 1)) $((hundred * 100 + 100)) | mailbox send --lines news || return
		until_true is_empty news || return
	done
	expect 0 "$stream" read mbx-news 'mbx.q.news.p0' 1000 && are_numbers 1 1000 || return
	finish
}

test_broadcast_that_is_too_slow_misses_some()
{
	fresh || return
	mailbox create --policy broadcast --max-messages 10 news >out
	bridge <<-END || return
		{mailbox: news, direction: out, window: 4}
	END
	until_figure news subscribers 1 || return
	mailbox send news 1 2 3 && until_true is_empty news || return
	end server || return
	until_logged "the connection is lost" || return
	seq 4 50 | mailbox send --lines news && server || return
	until_true is_empty news || return
	expect 0 "$stream" read mbx-news 'mbx.q.news.p0' "$("$stream" count mbx-news)" || return
	sed 's/.*\[\(.*\)\]$/\1/' out >got
	# None twice, none out of order, and the last ones.
	sort -n -u got | cmp - got && tail -n 10 got >last && seq 41 50 | cmp - last || return
	finish
}

test_receipts_come_back()
{
	fresh || return
	mailbox create jobs >out && mailbox create --max-messages 2 done >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, receipts: done}
	END
	mailbox send jobs 1 && until_true is_empty jobs || return
	until_true "$stream" count mbx-receipts || return
	for number in 1 2 3; do
		"$stream" publish mbx.receipt.here.jobs \
			"{\"sequence\":$number,\"end\":\"acknowledged\",\"host\":\"b\"}" || return
	done
	"$stream" publish mbx.receipt.here.jobs nonsense || return
	until_figure done messages 2 && until_logged "receipts wait" || return
	expect 0 mailbox receive --json done && contains '"type":1,' || return
	# The third has waited at the server.
	until_figure done sent 3 || return
	expect 0 mailbox receive --all --json done || return
	contains '"type":2,' && contains '"type":3,' && until_logged "it is dropped" || return
	until_true stream_has mbx-receipts 0 || return
	finish
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
