#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fuzz.sh [KERNEL [SECONDS]]: fuzzes in a virtual machine and adds to the corpus what
# was found on the way. With MINIMIZE=yes files of the corpus that reach nothing of
# their own are removed instead. MAILBOX_SEED repeats the choices of a run.

. "$(dirname "$0")/../vm/common.sh"

kernel=${1:-6.1-um}
seconds=${2:-60}
corpus=$top/selftests/fuzz/corpus
crashes=$build/fuzz/crashes
mkdir -p "$corpus" "$crashes"

said=$(mktemp)
trap 'rm -f "$said"' EXIT

# Inputs come one a line, before each is run. Of these only the last ones matter, and
# only when the machine did not come to its end.
sieve()
{
	awk '{ sub(/\r$/, "") }
		$1 == "last" { last[++nr % 20] = $2; next }
		$1 == "ended" { ended = 1 }
		{ print; fflush() }
		$1 == "status" { print "  " substr($0, 8) >"/dev/stderr"; fflush("/dev/stderr") }
		END {
			for (i = nr > 20 ? nr - 19 : 1; !ended && i <= nr; i++)
				print "last", last[i % 20]
		}'
}

# The name is made of the contents, so nothing is there twice. Prints the file.
keep()
{
	local hex=$1 folder=$2 prefix=$3 tmp sum

	tmp=$(mktemp)
	# shellcheck disable=SC2059  # the bytes are the format
	printf "$(printf '%s' "$hex" | sed 's/../\\x&/g')" >"$tmp"
	sum=$(sha256sum "$tmp" | cut -c 1-12)
	chmod 644 "$tmp"
	mv "$tmp" "$folder/$prefix$sum"
	echo "$folder/$prefix$sum"
}

# Every file that no word "keep" names.
remove_others()
{
	local file

	for file in "$corpus"/*; do
		grep -qx "keep ${file##*/}" "$said" || rm -- "$file"
	done
}

if [ "${MINIMIZE:-}" ]; then
	FUZZ="minimize /selftests/fuzz/corpus"
else
	FUZZ="run $seconds /selftests/fuzz/corpus"
fi
# A machine that hangs does not end by itself.
FUZZ_TIMEOUT=$((seconds + 900))
export FUZZ FUZZ_TIMEOUT
"$vm/run.sh" fuzz "$kernel" | sieve >"$said" || die "the machine did not start"

fresh=0
while read -r word rest; do
	case $word in
	new) keep "$rest" "$corpus" '' >/dev/null; fresh=$((fresh + 1)) ;;
	esac
done <"$said"

bad=
if grep -qE '^(crash|why|splat) ' "$said" || ! grep -qx ended "$said"; then
	bad=yes
	grep -E '^(why|splat) ' "$said" || echo "the machine ended or hung without a word"
	# The shortest comes last. Without any the fault is in what ran last.
	word=crash
	grep -q '^crash ' "$said" || word=last
	nr=0
	grep "^$word " "$said" | while read -r _ rest; do
		nr=$((nr + 1))
		keep "$rest" "$crashes" "$word-$(date +%s)-$(printf '%02d' $nr)-"
	done
fi

if [ "${MINIMIZE:-}" ] && [ ! "$bad" ]; then
	remove_others
fi
echo "$fresh new inputs, $(find "$corpus" -type f | wc -l) in the corpus;" \
	"$(sed -n 's/^log /log: /p' "$said")"
[ ! "$bad" ]
