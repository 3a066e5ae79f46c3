#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bridge outward: what leaves a mailbox is at the server, once, in order and with all that was
# said of it, whatever happens to the server, the stream, the mailbox and the bridge meanwhile.
#
# What single quotes hold is for other programs to expand.
# shellcheck disable=SC2016

# shellcheck source=bridge/hosts.sh
. "$(dirname "$(readlink -f "$0")")/bridge/hosts.sh"

# All is on one host.
mailbox()
{
	if [ -e host.ha ]; then
		on ha mailbox "$@"
	else
		command mailbox "$@"
	fi
}

# What other clients see: bridge/stream.c.
stream()
{
	NATS_URL=${url:-$server} on ha /selftests/bridge/stream "$@"
}

fresh()
{
	hosts ha && server_start && stream wait
}

# bridge: with the routes that standard input has.
bridge()
{
	sed 's/^/  - /' | bridge_config ha && bridge_start ha
}

logged()
{
	grep -qF -- "$1" bridge.ha.log
}

until_logged()
{
	await 60 logged "$1" || { sed 's/^/#   /' bridge.ha.log; return 1; }
}

# sent_more MAILBOX NUMBER: than that, by now.
sent_more()
{
	[ "$(figure "$1" sent)" -gt "$2" ]
}

stream_has()
{
	[ "$(stream count "$1")" = "$2" ]
}

is_empty()
{
	[ "$(figure "$1" messages)" = 0 ]
}

# Ends both; what is wrong so far is the result.
finish()
{
	bridge_stop ha && server_stop
}

# permit SUBJECT: all but that one, to user a.
permit()
{
	cat >server.more <<-END
		authorization { users = [
			{ user: a, password: a, permissions: { publish: { deny: $1 } } } ] }
	END
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
	on ha sh -c 'echo $$ >pid; exec mailbox send jobs low' || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, bands: [1], receipts: ended, create: true}
	END
	expect 0 stream read mbx-jobs 'mbx.q.jobs.p1' 1 || return
	contains 'mbx.q.jobs.p1 ' && contains ' Mailbox-Type=18446744073709551615;' &&
		contains ' Mailbox-Priority=7;' && contains ' Mailbox-Expiry=' &&
		contains ' Mailbox-Receipt=ha/jobs;' && contains ' [high]' &&
		contains " Nats-Msg-Id=ha-$(tr -d - </proc/sys/kernel/random/boot_id)-" || return
	stream remove mbx-jobs && mailbox send jobs high low && await 60 is_empty jobs || return
	finish
}

test_others_see_no_more_than_was_said()
{
	fresh || return
	mailbox create jobs >out
	on ha sh -c 'echo $$ >pid; exec mailbox send jobs low' || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 1 || return
	contains 'mbx.q.jobs.p0 ' && contains ' [low]' &&
		contains " Mailbox-Sender=ha $(cat pid) $(cat pid) 0 0 " || return
	for header in Type Priority Expiry Deliveries Receipt; do
		! grep -q "Mailbox-$header" out || return
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
	await 60 is_empty jobs || return
	stream_has mbx-jobs 3000 || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 3000 || return
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
	stream make mbx-jobs 'mbx.q.jobs.*' 50 0 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, window: 16}
	END
	seq 1 1000 | mailbox send --lines jobs &
	sender=$!
	until_logged "stream mbx-jobs is full" && until_figure jobs senders 1 || return
	expect 5 mailbox send --nonblock jobs x || return
	stream_has mbx-jobs 50 || return
	# With room it goes on, and the sender does.
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 1000 || return
	wait $sender && await 60 is_empty jobs || return
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
	stream make mbx-jobs 'mbx.q.jobs.*' 20 0 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, window: 1}
	END
	until_logged "stream mbx-jobs is full" || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 300 && are_numbers 1 300 || return
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
	seq 1 6000 | mailbox send --lines jobs &
	sender=$!
	for round in 1 2 3; do
		await 60 sent_more jobs $((round * 1000)) || return
		server_kill && server_start || return
	done
	wait $sender && await 60 is_empty jobs || return
	stream_has mbx-jobs 6000 || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 6000 && are_numbers 1 6000 || return
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
	seq 1 6000 | mailbox send --lines jobs &
	sender=$!
	for round in 1 2 3 4 5; do
		await 60 sent_more jobs $((round * 1000)) || return
		bridge_kill ha && bridge_start ha || return
	done
	wait $sender && await 60 is_empty jobs || return
	stream_has mbx-jobs 6000 || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 6000 && are_numbers 1 6000 || return
	finish
}

test_stopped_bridge_has_nothing_left()
{
	fresh || return
	mailbox create jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	await 60 stream count mbx-jobs || return
	seq 1 500 | mailbox send --lines jobs && bridge_stop ha || return
	[ "$(($(figure jobs messages) + $(stream count mbx-jobs)))" = 500 ] || return
	[ "$(figure jobs leased)" = 0 ] && [ "$(figure jobs redelivered)" = 0 ] || return
	logged stopped || return
	finish
}

test_server_that_comes_later()
{
	fresh || return
	server_stop || return
	mailbox create jobs >out && mailbox send jobs 1 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_logged "there is no connection to a server" || return
	mailbox send jobs 3 && server_start || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 3 && are_numbers 1 3 || return
	finish
}

test_stream_that_was_removed_is_made_again()
{
	fresh || return
	mailbox create jobs >out && mailbox send jobs 1 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	await 60 is_empty jobs && stream remove mbx-jobs || return
	mailbox send jobs 2 3 && await 60 is_empty jobs || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 2 && are_numbers 2 3 || return
	finish
}

test_subject_that_is_not_permitted()
{
	local url=nats://a:a@10.77.0.1:4222 bridge_server

	permit '"mbx.q.>"' && fresh || return
	mailbox create jobs >out && mailbox send jobs 1 2 3 && echo a >password || return
	# shellcheck disable=SC2034 # hosts.sh has a use for it
	bridge_server="  user: a
  password_file: $PWD/password"
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_logged 'Permissions Violation for Publish to "mbx.q.jobs.p0"' || return
	[ "$(figure jobs messages)" = 3 ] && server_stop || return
	permit '"nothing"' && server_start || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 3 && are_numbers 1 3 || return
	finish
}

test_message_that_is_too_long()
{
	echo 'max_payload: 2000' >server.more && fresh || return
	mailbox create jobs >out && mailbox send jobs 1 || return
	head -c 2000 /dev/zero | tr '\0' x | mailbox send -p 3 --type 9 jobs || return
	mailbox send jobs 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	until_logged "message 2 of mailbox 'jobs' has 2000 bytes" || return
	[ "$(figure jobs messages)" = 3 ] || return
	bridge_stop ha || return
	mailbox create dead >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, dead_letter: dead}
	END
	await 60 is_empty jobs && until_figure dead messages 1 || return
	expect 0 mailbox receive --json dead && contains '"type":9,' && contains '"priority":3,' || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 2 && are_numbers 1 2 || return
	! grep -qi 'maximum payload' server.log || return
	finish
}

test_message_that_is_too_long_for_the_stream()
{
	fresh || return
	mailbox create jobs >out && mailbox create dead >out
	stream make mbx-jobs 'mbx.q.jobs.*' 0 1000 || return
	mailbox send jobs 1 && head -c 1000 /dev/zero | mailbox send --type 9 jobs || return
	mailbox send jobs 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, dead_letter: dead}
	END
	await 60 is_empty jobs && until_figure dead messages 1 || return
	expect 0 mailbox receive --json dead && contains '"type":9,' || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 2 && are_numbers 1 2 && finish
}

test_long_messages_go_as_they_are()
{
	fresh || return
	mailbox create --message-size 1M --max-bytes 64M jobs >out
	head -c 900000 /dev/urandom >random
	for nr in $(seq 1 40); do
		mailbox send jobs <random || return
		mailbox send jobs "$nr" || return
	done
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	await 60 is_empty jobs || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 1 || return
	sed '1s/^.* \[//' out | head -c 900000 | cmp - random || return
	stream_has mbx-jobs 79 || return
	finish
}

test_message_with_files()
{
	fresh || return
	# In other network namespaces than the first no file is in a mailbox that is permanent.
	mailbox create --temporary jobs -- sh -c 'echo $$ >holder; exec sleep 100' &
	await 10 mailbox stat jobs && mailbox create dead >out && echo content >file || return
	mailbox send --fd 3 --type 9 jobs 1 3<file && mailbox send jobs 2 || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, dead_letter: dead}
	END
	await 60 is_empty jobs && until_figure dead messages 1 || return
	kill "$(cat holder)"
	expect 0 mailbox receive --json dead && contains '"type":9,' && contains '"payload":"1"' || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 1 && are_numbers 2 2 || return
	finish
}

test_payload_in_the_region_goes()
{
	fresh || return
	mailbox create --region 1M jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	mailbox send jobs 1 && on ha /selftests/bridge/lend jobs 100000 &&
		on ha /selftests/bridge/lend jobs 7 && mailbox send jobs 2 || return
	await 60 is_empty jobs && [ "$(figure jobs loans)" = 0 ] || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 4 || return
	sed 's/^.* \[\(.*\)\]$/\1/' out >got
	{ echo 1 && head -c 100000 /dev/zero | tr '\0' x && echo && echo xxxxxxx && echo 2; } |
		cmp - got || return
	[ "$(grep -c 'Mailbox-Type=5;' out)" = 2 ] || return
	finish
}

test_mailbox_that_is_destroyed()
{
	fresh || return
	mailbox create jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, create: false}
	END
	mailbox send jobs 1 && await 60 is_empty jobs && mailbox rm jobs || return
	until_logged "there is no mailbox 'jobs'" || return
	# Its messages begin with number 1 again: they are others.
	mailbox create jobs >out && mailbox send jobs 2 3 && await 60 is_empty jobs || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 3 && are_numbers 1 3 || return
	finish
}

test_mailbox_is_made()
{
	fresh || return
	bridge <<-END || return
		{mailbox: jobs, direction: out, create: true}
	END
	await 60 mailbox stat jobs && mailbox send jobs 1 || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 1 && are_numbers 1 1 || return
	mailbox rm jobs && await 60 mailbox stat jobs && mailbox send jobs 2 || return
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 1 && are_numbers 2 2 || return
	finish
}

test_expired_messages_do_not_go()
{
	fresh || return
	stream make mbx-jobs 'mbx.q.jobs.*' 1 0 || return
	mailbox create jobs >out
	bridge <<-END || return
		{mailbox: jobs, direction: out}
	END
	mailbox send jobs 1 && await 60 is_empty jobs || return
	mailbox send --expire 200ms jobs 2 && mailbox send jobs 3 || return
	until_logged "is full" && until_figure jobs messages 1 || return
	usleep 300000
	expect 0 stream read mbx-jobs 'mbx.q.jobs.*' 2 && grep -q '\[3\]' out || return
	await 60 is_empty jobs || return
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
		await 60 is_empty news || return
	done
	expect 0 stream read mbx-news 'mbx.q.news.p0' 1000 && are_numbers 1 1000 || return
	finish
}

test_broadcast_in_the_region_goes_out()
{
	fresh || return
	mailbox create --policy broadcast --max-messages 100 --region 1M news >out
	bridge <<-END || return
		{mailbox: news, direction: out}
	END
	until_figure news subscribers 1 || return
	mailbox send news 1 && on ha /selftests/bridge/lend news 7 && mailbox send news 2 || return
	await 60 is_empty news && [ "$(figure news loans)" = 0 ] || return
	expect 0 stream read mbx-news 'mbx.q.news.*' 3 || return
	sed 's/^.* \[\(.*\)\]$/\1/' out >got
	printf '1\nxxxxxxx\n2\n' | cmp - got || return
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
	mailbox send news 1 2 3 && await 60 is_empty news || return
	server_stop || return
	until_logged "the connection is lost" || return
	seq 4 50 | mailbox send --lines news && server_start || return
	await 60 is_empty news || return
	expect 0 stream read mbx-news 'mbx.q.news.p0' "$(stream count mbx-news)" || return
	sed 's/.*\[\(.*\)\]$/\1/' out >got
	# None twice, none out of order, and the last ones.
	sort -n -u got | cmp - got && tail -n 10 got >last && seq 41 50 | cmp - last || return
	finish
}

test_receipts_come_back()
{
	fresh || return
	mailbox create jobs >out && mailbox create --max-messages 2 ended >out
	bridge <<-END || return
		{mailbox: jobs, direction: out, receipts: ended}
	END
	mailbox send jobs 1 && await 60 is_empty jobs && await 60 stream count mbx-receipts || return
	stream publish mbx.receipt.ha.jobs \
		"{\"sequence\":9,\"end\":\"$(head -c 100000 /dev/zero | tr '\0' x)\"}" || return
	for nr in 1 2 3; do
		stream publish mbx.receipt.ha.jobs \
			"{\"sequence\":$nr,\"end\":\"acknowledged\",\"host\":\"b\"}" || return
	done
	stream publish mbx.receipt.ha.jobs nonsense || return
	until_figure ended messages 2 && until_logged "receipts wait" || return
	expect 0 mailbox receive --json ended && contains '"type":1,' || return
	# The third has waited at the server.
	until_figure ended sent 3 || return
	expect 0 mailbox receive --all --json ended && contains '"type":2,' &&
		contains '"type":3,' && until_logged "it is dropped" || return
	await 60 stream_has mbx-receipts 0 && finish
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
