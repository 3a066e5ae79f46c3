#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# plot.sh FILE FOLDER: draws what bridge-measure has said, messages per second against their size
# and against the number of routes, as PNG and as SVG.

set -euo pipefail
top=$(cd "$(dirname "$0")/../../.." && pwd)

folder=$2
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$top/build/tools/bridge-measure" --plots "$1" "$work"

# draw NAME TITLE AXIS TERMINAL SUFFIX
draw()
{
	local data=$work/$1.data columns

	columns=$(awk -F '\t' 'NR == 1 { print NF }' "$data")
	gnuplot <<-END
		set terminal $4 size 1000,600
		set output "$folder/$1.$5"
		set title "$2"
		set xlabel "$3"
		set ylabel "messages per second"
		set logscale x
		set yrange [0:*]
		set linetype 1 linecolor rgb "black" linewidth 3
		set grid
		set key outside right
		set datafile separator "\t"
		plot for [i = 2:$columns] "$data" using 1:i with linespoints \
			linetype i - 1 title columnheader(i)
	END
}

for terminal in 'pngcairo png' 'svg svg'; do
	# shellcheck disable=SC2086  # terminal and suffix
	draw rate 'Messages from host to host' 'bytes of each' $terminal
	# shellcheck disable=SC2086
	draw routes 'Messages of 64 bytes through several routes of one bridge' 'routes' $terminal
done
