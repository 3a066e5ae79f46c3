#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command 'mailbox' and policies: 'create' takes them, 'ls' and 'stat' show them, and
# what the tool says where a policy has no room for it.

test_create_takes_a_policy()
{
	local policy

	expect 0 mailbox create default && expect 0 mailbox stat default || return
	contains 'policy           any' || return
	for policy in any pair one broadcast; do
		expect 0 mailbox create --policy=$policy "box $policy" || return
		expect 0 mailbox stat "box $policy" && contains "policy           $policy" || return
		expect 0 mailbox stat --json "box $policy" && contains "\"policy\":\"$policy\"," ||
			return
		expect 0 mailbox ls --json && contains "\"policy\":\"$policy\"," || return
	done
}

test_ls_shows_the_policy()
{
	local policy

	for policy in any pair one broadcast; do
		mailbox create --policy $policy "box-$policy" >out || return
	done
	expect 0 mailbox ls || return
	grep -q '^ *ID .* POLICY ' out || return
	for policy in any pair one broadcast; do
		grep -qE " $policy .* box-$policy\$" out && continue
		echo "# no '$policy' for box-$policy in:"
		sed 's/^/#   /' out
		return 1
	done
}

test_other_policies_are_said_to_be_wrong()
{
	local policy

	for policy in '' two PAIR 'pair,' 1; do
		expect 2 mailbox create --policy="$policy" jobs || return
		contains '--policy takes any, pair, one or broadcast' err || return
	done
	expect 3 mailbox stat jobs
}

test_help_and_completion_know_them()
{
	expect 0 mailbox create --help && contains 'pair' && contains 'or broadcast' || return
	contains '--policy=WHAT'
}

# Each command is a process of its own: they come, two at a time, and go.
test_commands_meet_at_a_pair()
{
	mailbox create --policy=pair jobs >out
	expect 0 mailbox send jobs one two || return
	expect 0 mailbox receive jobs && prints one || return
	mailbox receive --count=2 --lines jobs >got &
	until_figure jobs receivers 1 || return
	expect 0 mailbox send jobs three || return
	wait
	printf 'two\nthree\n' | cmp - got
}

# Looking at it is not opening it.
test_stat_and_ls_take_no_place()
{
	mailbox create --policy=pair jobs >out
	mailbox receive jobs >got &
	until_figure jobs receivers 1 || return
	expect 0 mailbox stat jobs && expect 0 mailbox stat "id:$(figure jobs id)" || return
	expect 0 mailbox ls || return
	[ "$(figure jobs receivers)" = 1 ] || return
	expect 0 mailbox send jobs x || return
	wait
	contains x got
}

test_a_third_is_refused()
{
	mailbox create --policy=pair jobs >out
	mailbox receive --follow jobs >first &
	first=$!
	until_figure jobs receivers 1 || return
	mailbox receive --follow jobs >second 2>said &
	second=$!
	until_figure jobs receivers 2 || return
	expect 1 mailbox send jobs x && says 'no room for another process' || return
	kill $first
	wait $second
	[ $? -eq 1 ] && contains 'the other process of the pair has left' said
}

test_one_at_a_time_receives()
{
	mailbox create --policy=one jobs >out
	mailbox receive --lines --count=2 jobs >first &
	until_figure jobs receivers 1 || return
	mailbox receive jobs >second &
	until_figure jobs receivers 2 || return
	mailbox send jobs one && mailbox send jobs two && mailbox send jobs three || return
	wait
	printf 'one\ntwo\n' | cmp - first || return
	printf three | cmp - second
}

# Until it says on standard error that it is ready.
until_subscribed()
{
	local tries=0

	until grep -q 'mailbox: subscribed to' "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 20000 ] || return
	done
}

test_subscribers_get_all()
{
	mailbox create --policy=broadcast news >out
	expect 0 mailbox stat news && contains 'on full          overwrite' || return
	expect 0 mailbox send news early || return
	mailbox subscribe --lines --count=2 news >first 2>said &
	until_subscribed said || return
	mailbox subscribe --json --count=2 news >second 2>said2 &
	until_subscribed said2 || return
	[ "$(figure news subscribers)" = 2 ] || return
	expect 0 mailbox ls || return
	grep -qE ' broadcast .* 2 .* news$' out || return
	expect 0 mailbox send news one two || return
	wait
	printf 'one\ntwo\n' | cmp - first || return
	grep -c '"missed":0' second | grep -qx 2 || return
	[ "$(figure news subscribers)" = 0 ]
}

# Stopped, it cannot keep up.
slow_subscriber()
{
	mailbox create --policy=broadcast --max-messages=2 news >out
	mailbox subscribe --lines --count=1 "$@" news >got 2>said &
	slow=$!
	until_subscribed said || return
	kill -STOP $slow
	until grep -q '^State:.*T' /proc/$slow/status; do :; done
	expect 0 mailbox send news one two three || return
	kill -CONT $slow
}

test_subscribe_tells_what_is_missed()
{
	slow_subscriber || return
	wait $slow || return
	contains two got && contains "mailbox: missed 1 messages of mailbox 'news'" said
}

test_subscribe_can_be_cut_off()
{
	local status=0

	slow_subscriber --cut-off || return
	wait $slow || status=$?
	[ $status -eq 13 ] && [ ! -s got ] && contains 'cut off from' said
}

test_subscribe_ends_when_it_is_destroyed_or_interrupted()
{
	local status=0

	mailbox create --policy=broadcast news >out
	mailbox subscribe news >got 2>said &
	until_subscribed said || return
	kill -INT $! || return
	mailbox subscribe news >got 2>said2 &
	until_subscribed said2 || return
	mailbox rm news || return
	wait $! || status=$?
	[ $status -eq 7 ]
}

test_cut_off_is_for_broadcasts()
{
	mailbox create jobs >out
	expect 1 mailbox subscribe --cut-off jobs && contains 'a value' err || return
	mailbox create --policy=broadcast news >out
	expect 1 mailbox set --on-full=wait news || return
	expect 1 mailbox create --policy=broadcast --on-full=refuse other
}

# What the tests need and the loop that runs those of this file are there.
# shellcheck source=cli.sh
. "$(dirname "$0")/cli.sh"
