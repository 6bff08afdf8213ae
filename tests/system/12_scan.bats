#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Security scans, by the real scanners: what is clean passes, what is new and bad blocks, a waiver lets it through until
# its day, and what is no report is an error.

load lib.bash
setup() {
	kit_setup
	mkdir -p "$T/src" "$T/bin"
	clean
}
teardown() { kit_teardown; }

needs() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

clean() {
	printf '#include <stdio.h>\n\nint main(void)\n{\n\treturn puts("hello") < 0;\n}\n' >"$T/src/main.c"
	# shellcheck disable=SC2016 # for the script that is scanned
	printf '#!/bin/sh\nset -eu\nrm -f -- "${1:?}"\n' >"$T/bin/tidy.sh"
}

# A copy without bounds (flawfinder: high), a null pointer (cppcheck: high) and a fragile loop (shellcheck: high).
bad() {
	cat >"$T/src/bad.c" <<'C'
#include <string.h>

int bad(char *to, const char *from)
{
	int *nothing = 0;
	strcpy(to, from);
	return *nothing;
}
C
	# shellcheck disable=SC2016 # for the script that is scanned
	printf '#!/bin/sh\nset -eu\ncd /tmp\nfor f in $(ls); do echo "$f"; done\n' >"$T/bin/bad.sh"
}

flawfinder_scan() { env -C "$T" flawfinder --quiet --sarif src >"$T/flawfinder.sarif"; }
cppcheck_scan() {
	env -C "$T" cppcheck --xml -q --enable=warning,style --output-file=cppcheck.xml src
	davit scan convert --from cppcheck cppcheck.xml >"$T/cppcheck.sarif"
}
shellcheck_scan() {
	env -C "$T" sh -c 'shellcheck -f json1 bin/*.sh' >"$T/shellcheck.json" || true # its exit code says that it found something
	davit scan convert --from shellcheck shellcheck.json >"$T/shellcheck.sarif"
}

# waiver RULE PATH UNTIL
waiver() { printf 'waivers:\n  - { rule: %s, path: %s, reason: bounded by the caller, owner: ann, until: %s }\n' "$@" >"$T/waivers.yaml"; }
day() { date -u -d "$1" +%F; }

# scanned TOOL RULE PLACE: the whole way of one scanner
scanned() {
	local tool=$1 rule=$2 place=$3
	"${tool}_scan"
	exits 0 davit scan check "$tool.sarif"
	says "pass: No new finding is high or worse."
	exits 0 davit scan convert --from sarif "$tool.sarif"
	printf '%s\n' "$output" >"$T/baseline.sarif"
	bad
	"${tool}_scan"
	exits 14 davit scan check "$tool.sarif" --against baseline.sarif
	says "$rule"
	says "$place"
	says "blocked: "
	# Known now: nothing is new, also when the lines have moved.
	exits 0 davit scan convert --from sarif "$tool.sarif"
	printf '%s\n' "$output" >"$T/baseline.sarif"
	sed -i '2i\\n\n' "$T/src/bad.c" "$T/bin/bad.sh"
	"${tool}_scan"
	exits 0 davit scan check "$tool.sarif" --against baseline.sarif
	says "0 new, "
	# Mended, it is fixed.
	rm "$T/src/bad.c" "$T/bin/bad.sh"
	"${tool}_scan"
	exits 0 davit scan check "$tool.sarif" --against baseline.sarif
	[ "$(davit scan check "$tool.sarif" --against baseline.sarif --json | jq .counts.fixed.total)" -ge 1 ]
}

@test "flawfinder: clean passes, a new finding blocks, a known one moves, a mended one is fixed" {
	needs flawfinder
	scanned flawfinder FF1001 src/bad.c:6
}

@test "cppcheck: clean passes, a new finding blocks, a known one moves, a mended one is fixed" {
	needs cppcheck
	scanned cppcheck nullPointer src/bad.c:7
}

@test "shellcheck: clean passes, a new finding blocks, a known one moves, a mended one is fixed" {
	needs shellcheck
	scanned shellcheck SC2045 bin/bad.sh:4
}

@test "a waiver lets a finding through until its day, and no other one" {
	needs flawfinder
	bad
	flawfinder_scan
	exits 14 davit scan check flawfinder.sarif
	waiver FF1001 src/bad.c "$(day tomorrow)"
	exits 0 davit scan check flawfinder.sarif
	says "1 waived"
	waiver FF1001 src/bad.c "$(day yesterday)"
	exits 14 davit scan check flawfinder.sarif
	says "expired on $(day yesterday)"
	says "ann"
	waiver FF1001 src/other.c "$(day tomorrow)"
	exits 14 davit scan check flawfinder.sarif
	says "covers nothing"
	waiver FF1001 src/bad.c soon
	exits 2 davit scan check flawfinder.sarif
	says "waivers.yaml:2:"
	exits 2 davit scan check flawfinder.sarif --waivers none.yaml
}

@test "what the source allows is counted and does not block" {
	needs flawfinder
	bad
	sed -i 's|strcpy(to, from);|& /* Flawfinder: ignore */|' "$T/src/bad.c"
	flawfinder_scan
	# flawfinder leaves it out itself; a report that says so is honoured.
	exits 0 davit scan check flawfinder.sarif
	echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[{"ruleId":"R","level":"error","suppressions":[{"kind":"inSource"}]}]}]}' >"$T/t.sarif"
	exits 0 davit scan check t.sarif
	says "1 suppressed in the source"
}

@test "what is no report of a scan is an error, never a pass" {
	exits 2 davit scan check missing.sarif
	says "is not there"
	: >"$T/empty.sarif"
	exits 2 davit scan check empty.sarif
	says "the scanner did not run"
	echo '{"version":"2.1.0","runs":[]}' >"$T/none.sarif"
	exits 2 davit scan check none.sarif
	echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"invocations":[{"executionSuccessful":false}],"results":[]}]}' >"$T/failed.sarif"
	exits 2 davit scan check failed.sarif
	says "failed.sarif: runs[0]"
	echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[]}]}' >"$T/good.sarif"
	exits 0 davit scan check good.sarif
	# One that is good does not make up for one that is not.
	exits 2 davit scan check good.sarif failed.sarif
	exits 2 davit scan check good.sarif --against empty.sarif
	exits 2 davit scan convert --from cppcheck good.sarif
	exits 2 davit scan convert --from bandit missing.json
	is 0 sh -c "'$DAVIT' scan check - <'$T/good.sarif' >/dev/null; echo \$?"
}

@test "the answer as JSON has what a pipeline needs" {
	needs flawfinder
	bad
	flawfinder_scan
	exits 14 davit scan check flawfinder.sarif --json
	printf '%s\n' "$output" >"$T/report.json"
	is true jq '.schema == "davit.v1/scan" and .verdict == "blocked" and .exit_code == 14 and .block_at == "high"' "$T/report.json"
	is 1 jq '[.findings[] | select(.state == "new" and .severity == "high" and .path == "src/bad.c" and .line == 6)] | length' "$T/report.json"
	is Flawfinder jq -r '.tools[0].name' "$T/report.json"
	exits 0 davit scan check flawfinder.sarif --block-at critical
	exits 14 davit scan check flawfinder.sarif --block-at critical --at-most high=0
	says "at most 0 are allowed"
}
