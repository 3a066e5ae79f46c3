#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ordering.sh: has spin look at every order in which the sides of lanes can run, see lane.pml
# and lanes.pml: lanes as they are must never fail, and each rule that is left out must be
# missed. Prints nested TAP.
#
# ordering.sh [lane|lanes] -DNAME...: shows the shortest way in which that model fails, as
# "ordering.sh lane -DSLOTS=1 -DWITHOUT_SENDER_BARRIER".

. "$(dirname "$0")/../vm/common.sh"

model=lane
case ${1:-} in
lane | lanes) model=$1; shift ;;
esac
mkdir -p "$build/ordering"
work=$(mktemp -d "$build/ordering/XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# search [-DBFS] NAME...: says what was found, which is not silence but "errors: 0".
search()
{
	local how=-O1

	[ "${1:-}" != -DBFS ] || { how+=" $1"; shift; }
	# shellcheck disable=SC2086  # options
	{ spin -a "$@" "$top/selftests/ordering/$model.pml" && ${CC:-gcc} -w $how -DSAFETY -DMEMLIM=2000 -o pan pan.c &&
	  ./pan -m10000; } 2>&1
}

if [ $# -gt 0 ]; then
	search -DBFS "$@" | grep -E '^pan:1:|errors: '
	[ -e "$model.pml.trail" ] || exit 0
	# Each process indents what it prints by its number: a column for each.
	spin -k "$model.pml.trail" "$@" "$top/selftests/ordering/$model.pml" | awk -v model="$model" '
		BEGIN {
			senders = model == "lanes" ? 2 : 1
			head = sprintf("%-28s%-28s%-28s", "sender", "sender", "receiver") "memory"
			print substr(head, senders == 2 ? 1 : 29)
		}
		/^spin: trail ends/ { exit }
		{ match($0, / */); column = (RLENGTH - 2) / 4
		  show(column > senders + 1 ? senders + 2 : column, $0) }
		function show(column, text) {
			sub(/^ */, "", text)
			printf "%*s%s\n", 28 * (column - 1), "", text
		}'
	exit
fi

# None of what a lane does was left out of what was searched. A poller clears its mark in one
# place, others where they join the wait queue.
unreached()
{
	grep -E '	.*, state [0-9]+, ' | grep -vE '"(-end-|awake\[[01]\] = 0)"$'
}

number=0 failed=0

# result NAME SAID WORDS...: what search() said must have each.
result()
{
	local name=$1 said=$2 word=ok want

	shift 2
	for want; do
		grep -qF "$want" <<<"$said" || word='not ok'
	done
	! grep -qE 'too small|rror: ' <<<"$said" || word='not ok'
	# Nor may a search be right that has not seen all.
	if [[ $* == *'errors: 0'* ]] &&
	   { unreached <<<"$said" | grep . || grep 'not completed' <<<"$said"; } >/dev/null; then
		word='not ok'
	fi
	number=$((number + 1))
	if [ "$word" != ok ]; then
		failed=$((failed + 1))
		grep . <<<"$said" | sed 's/^/    # /'
	fi
	echo "    $word $number - $name"
}

stuck='invalid end state'
wrong='assertion violated (word==(tail+1))'
missed='assertion violated (tail==committed)'

# right NAME OPTIONS...
right()
{
	local name=$1

	shift
	result "$name" "$(search "$@")" 'errors: 0'
}

# broken RULE HOW [HOW-IT-IS-ON-X86]: where it is right on x86, it is broken elsewhere only.
broken()
{
	local name=without_${1,,}

	result "$name" "$(search -DSLOTS=1 "-DWITHOUT_$1" ${3:+-DWEAK})" 'errors: 1' "$2"
	[ ! "${3:-}" ] || result "${name}_on_x86" "$(search -DSLOTS=1 "-DWITHOUT_$1")" "$3"
}

started=$SECONDS
echo "# Subtest: ordering"
right x86 -DSLOTS=1
right x86_two_slots -DSLOTS=2
right x86_poll -DSLOTS=1 -DPOLL
right weak -DSLOTS=1 -DWEAK
right weak_two_slots -DSLOTS=2 -DWEAK
right weak_poll -DSLOTS=1 -DWEAK -DPOLL
broken SENDER_BARRIER "$stuck"
broken RECEIVER_BARRIER "$stuck"
broken WAIT_BARRIER "$stuck"
broken SAYING_FIRST "$stuck"
broken SAYING_AGAIN "$stuck"
broken LOCK_OF_LANES "$stuck"
broken WAKE_AT_END "$stuck"
broken LOOK_AT_END_FIRST "$missed"
broken ACQUIRE_OF_HEAD "$wrong"
broken RELEASE_OF_TAIL "$wrong"
broken RELEASE_OF_HEAD "$wrong" 'errors: 0'
broken RELEASE_OF_END "$missed" 'errors: 0'
model=lanes
right two_lanes_x86
right two_lanes_weak -DWEAK
broken SAYING_ALL "$stuck"
echo "    1..$number"
if [ $failed -eq 0 ]; then
	echo "ok 1 - ordering # time=$((SECONDS - started))"
else
	echo "not ok 1 - ordering # exit status 1"
fi
echo "1..1"
[ $failed -eq 0 ]
