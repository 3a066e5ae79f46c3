#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# plot.sh REPORT FOLDER: draws what mailbox-bench has saved, cost against size, backlog
# and number of mailboxes, as PNG and as SVG.

set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)

report=$1
folder=$2
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${BENCH_PROGRAM:-$top/build/tools/mailbox-bench}" --plot="$work" "$report"

# The first lines of a file say what it is about. The mailbox comes first.
draw()
{
	local data=$1 terminal=$2 title axis unit columns
	{
		read -r _ title
		read -r _ axis
		read -r _ unit
		read -r header
	} <"$data"
	columns=$(awk -F '\t' '{ print NF }' <<<"$header")
	cat <<-END
		set terminal $terminal
		set output "$3"
		set title "$title"
		set xlabel "$axis"
		set ylabel "$unit, each"
		set logscale xy
		set autoscale xfix
		# The first column, which is the mailbox.
		set linetype 1 linecolor rgb "black" linewidth 3
		set grid
		set key outside right
		set datafile separator "\t"
		set datafile missing "?"
		# Zero has no place on such a scale.
		at(x) = x > 0 ? x : 1
		plot for [i = 2:$columns] "$data" using (at(\$1)):i with linespoints \
			linetype i - 1 title columnheader(i)
	END
}

for data in "$work"/*.data; do
	name=$(basename "$data" .data)
	# What was not measured has no peers.
	[ "$(sed -n '4p' "$data")" != x ] || continue
	draw "$data" 'pngcairo size 1000,600' "$folder/$name.png" | gnuplot
	draw "$data" 'svg size 1000,600' "$folder/$name.svg" | gnuplot
done
