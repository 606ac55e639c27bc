#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the cmocka programs given, shows their output, and ends with
# "N passed, N failed". A program that is missing (did not build), crashes or
# runs too long counts as one failure.
limit=${UNIT_TIMEOUT:-600}
passed=0
failed=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

for t in "$@"; do
	echo "== ${t##*/}"
	if [ ! -x "$t" ]; then
		echo "did not build"
		failed=$((failed + 1))
		continue
	fi
	timeout "$limit" "$t" >"$log" 2>&1
	status=$?
	cat "$log"
	ok=$(grep -c '^\[       OK \]' "$log")
	# cmocka names a failed test twice: when it fails and in the summary.
	bad=$(grep '^\[  FAILED  \] [a-zA-Z_]' "$log" | sort -u | wc -l)
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "${t##*/}: exit status $status"
		bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
