#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Builds that another system makes: registered once however often they are said, with their commits, tests and scans; what
# goes out goes where it may.

load lib.bash

setup() {
	kit_setup
	API_PORT=$(free_port) STAGING_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off, trigger: { branch: main } }"
	BASE=http://127.0.0.1:$API_PORT
	echo "api: { listen: \"127.0.0.1:$API_PORT\" }" >"$T/server.yaml"
	R=$T/repo
	mkdir -p "$R/dist"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	write_config "$R/davit.yaml"
	cp "$R/davit.yaml" "$R/dist/"
	cp "$DAVIT_APP" "$R/dist/app"
	echo version=one >"$R/dist/release.conf"
	results 3 0
	commit First
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
commit() { g add -A && g commit -q --allow-empty -m "$1"; }
# results PASSED FAILED
results() {
	{
		echo "<testsuite>"
		for ((i = 0; i < $1; i++)); do echo "<testcase classname='a' name='p$i'/>"; done
		for ((i = 0; i < $2; i++)); do echo "<testcase classname='a' name='bad$i'><failure/></testcase>"; done
		echo "</testsuite>"
	} >"$R/results.xml"
}
serve() {
	up --server "$T/server.yaml"
	wait_for 10 "the API to listen" holds 401 curl -s -o /dev/null -w '%{http_code}' "$BASE/v1/server"
	(umask 077 && davit token create ci --scope "${1:-release,deploy}" --for "${2:-shop}" >"$T/ci.token" 2>/dev/null)
}
# ci COMMAND...: in the clone, as a step of another system
ci() {
	(cd "$R" && env -u DAVIT_STATE DAVIT_HOST="$BASE" DAVIT_TOKEN="$(cat "$T/ci.token")" GITHUB_ACTIONS=true \
		GITHUB_REPOSITORY=acme/shop GITHUB_RUN_ID="${RUN:-8123}" GITHUB_RUN_ATTEMPT=1 GITHUB_SHA="$(g rev-parse HEAD)" \
		GITHUB_REF="${REF:-refs/heads/main}" GITHUB_SERVER_URL=https://github.com "$@" </dev/null 3>&-)
}
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
rollouts() { davit history --json | jq '.rollouts | length'; }

@test "a step of another pipeline registers what it has built, and follows it out" {
	serve
	exits 0 ci "$DAVIT" register dist --junit results.xml --as v1 --triggered --watch
	is v1 live_in staging
	is passed build_of 1 .state
	is "$(g rev-parse HEAD)" build_of 1 .commit
	is refs/heads/main build_of 1 .ref
	is First build_of 1 .subject
	is 3 build_of 1 '.stages[0].tests.tests'
	is github/acme/shop/8123/1 build_of 1 .external.run
	is token:ci build_of 1 .by
	exits 0 davit builds 1
	says "https://github.com/acme/shop/actions/runs/8123"
	# The step is tried again.
	exits 0 ci "$DAVIT" register dist --junit results.xml --as v1 --triggered
	says "Build 1 of shop"
	is 1 rollouts
	# The same run with something else.
	results 4 0
	exits 5 ci "$DAVIT" register dist --junit results.xml --as v1 --triggered
	says "something else"
	# What another system has built is not built here.
	exits 2 davit build --again 1
	says "run again there"
	# A change has a lead time, from its own commit.
	echo version=two >"$R/dist/release.conf"
	commit Second
	RUN=8124 exits 0 ci "$DAVIT" register dist --junit results.xml --as v2 --to staging,prod --watch
	is v2 live_in prod
	is v2 live_in staging
	[ -z "$(davit_says_nothing)" ]
}

davit_says_nothing() { grep -E "error|warning" "$T/up.log" | grep -v "api.refused" || true; }

@test "what failed elsewhere is known, and goes nowhere" {
	serve
	results 3 2
	exits 10 ci "$DAVIT" register dist --junit results.xml --triggered
	is failed build_of 1 .state
	is 2 build_of 1 '.stages[0].tests.failed'
	is "a.bad0, a.bad1" build_of 1 '.stages[0].why'
	RUN=8 exits 0 ci "$DAVIT" register --failed "it does not compile" --triggered
	is "it does not compile" build_of 2 .why
	is 0 rollouts
	# Neither branch nor tag, and one that nobody waits for.
	results 1 0
	RUN=9 REF=refs/pull/7/merge exits 2 ci "$DAVIT" register dist --triggered
	says "Without a"
	RUN=9 REF=refs/heads/other exits 0 ci "$DAVIT" register dist --triggered
	says "No environment has a trigger"
	is 0 rollouts
	exits 2 env -C "$R" "$DAVIT" register dist --state "$T/state"
	says "no name"
}

@test "a token registers and sends what it may" {
	serve release shop/staging
	exits 4 ci "$DAVIT" register dist --triggered
	says "not the scope deploy"
	exits 0 ci "$DAVIT" register dist --as v1
	is 0 rollouts
	davit token revoke ci >/dev/null
	(umask 077 && davit token create ci --scope release,deploy --for shop/staging >"$T/ci.token" 2>/dev/null)
	RUN=2 exits 4 ci "$DAVIT" register dist --as v1 --to staging,prod
	says "reaches shop/staging alone"
	is 0 rollouts
	RUN=3 exits 0 ci "$DAVIT" register dist --as v1 --to staging --watch
	is v1 live_in staging
	sed -i 's/^app: shop/app: other/' "$R/dist/davit.yaml"
	RUN=4 exits 2 ci "$DAVIT" register dist --app shop
	says "The configuration is that of"
	RUN=5 exits 4 ci "$DAVIT" register dist --app other
}

@test "killed right after it was told, it goes out once" {
	serve
	exits 0 ci "$DAVIT" register dist --as v1 --to staging
	kill -9 "$(pids_of controller)"
	wait_for 20 "the controller" holds 1 rollouts
	exits 0 ci "$DAVIT" register dist --as v1 --to staging
	wait_for 20 "the release" holds v1 live_in staging
	is 1 rollouts
}

# scanned [KEYS] [MORE]: prod is production with these keys more, and the pipeline's scan has these beside its report
scanned() {
	STRATEGY='[switch]'
	ENVIRONMENT_EXTRA="    production: true
    analysis: off
    ${2:-}"
	EXTRA="pipeline: { scan: { run: \"true\", sarif: x.sarif${1:-} } }"
	write_config "$R/davit.yaml"
	cp "$R/davit.yaml" "$R/dist/"
}
# source_has [LINE...]: a copy without bounds (flawfinder: high), behind these lines
source_has() {
	mkdir -p "$R/src"
	{
		(($# == 0)) || printf '%s\n' "$@"
		printf '#include <string.h>\nvoid bad(char *to, const char *from)\n{\n\tstrcpy(to, from);\n}\n'
	} >"$R/src/bad.c"
}
# finds TAG CODE ARGUMENTS...: what flawfinder finds in a commit of what is there, registered as a run called TAG
finds() {
	local tag=$1 code=$2
	shift 2
	echo "version=$tag" >"$R/dist/release.conf"
	commit "$tag"
	env -C "$R" flawfinder --quiet --sarif src >"$T/$tag.sarif"
	RUN=$tag exits "$code" ci "$DAVIT" register dist --as "$tag" --sarif "$T/$tag.sarif" "$@"
}
findings_of() { build_of "$1" ".stages[] | select(.stage == \"${2:-scan}\") | .findings | \"\(.new) \(.existing) \(.fixed) \(.waived) \(.since)\""; }
builds() { davit builds --json | jq '.builds | length'; }

@test "what its scans found is judged as that of builds made here" {
	command -v flawfinder >/dev/null || skip "flawfinder is not installed"
	scanned
	serve
	mkdir "$R/src"
	printf 'int main(void)\n{\n\treturn 0;\n}\n' >"$R/src/main.c"
	finds v1 0 --to prod --watch
	says "findings: 0 new, 0 existing, 0 fixed"
	is '0 0 0 0 ' findings_of 1
	is v1 live_in prod
	# New and high.
	source_has
	finds v2 10 --to prod
	says "1 new finding is blocked: 1 high. The worst: Flawfinder/FF1001 at src/bad.c:4 (high)."
	is '1 0 0 0 v1 (prod)' findings_of 2
	is failed build_of 2 .state
	is failed build_of 2 '.stages[0].state'
	is null build_of 2 .release
	is "new findings are blocked" build_of 2 .why
	is 1 rollouts
	exits 0 davit builds 2
	says "findings: 1 new, 0 existing, 0 fixed since v1 (prod)"
	# Said again it is the same, and not with another report.
	RUN=v2 exits 10 ci "$DAVIT" register dist --as v2 --sarif "$T/v2.sarif" --to prod
	says "Build 2 of shop"
	RUN=v2 exits 5 ci "$DAVIT" register dist --as v2 --sarif "$T/v1.sarif" --to prod
	says "something else"
	# Waived, it goes out; and what is waived in production is new once the waiver is over.
	printf 'waivers:\n  - { rule: FF1001, path: src/bad.c, reason: checked, owner: ann, until: 2999-01-01 }\n' >"$R/waivers.yaml"
	finds v3 0 --to prod --watch
	is '0 0 0 1 v1 (prod)' findings_of 3
	is v3 live_in prod
	sed -i s/2999/2001/ "$R/waivers.yaml"
	finds v4 10 --to prod
	is '1 0 0 0 v3 (prod)' findings_of 4
	# The commit's davit.yaml says from where on it blocks.
	rm "$R/waivers.yaml"
	scanned ', block_at: critical'
	finds v5 0 --to prod --watch
	is '1 0 0 0 v3 (prod)' findings_of 5
	# What production has is not new, on whatever line it is; and whoever approves is shown it.
	scanned '' 'approve: { count: 1 }'
	source_has "#include <stdio.h>" ""
	finds v6 0 --to prod
	is '0 1 0 0 v5 (prod)' findings_of 6
	wait_for 10 "the question" holds gated rollout .state
	is '0 1 0 0 v5 (prod)' rollout '.gate.findings | "\(.new) \(.existing) \(.fixed) \(.waived) \(.since)"'
	# The line says it too; another stage has a history of its own.
	finds v7 10 --sarif "more=$T/v6.sarif"
	is '0 1 0 0 v5 (prod)' findings_of 7
	is '1 0 0 0 ' findings_of 7 more
	finds v8 0 --sarif "more=$T/v6.sarif" --block-at critical
	[ -z "$(davit_says_nothing)" ]
}

@test "a report that is none is an error, and nothing is registered" {
	scanned
	serve
	# none CODE REPORT SENTENCE
	none() {
		exits "$1" ci "$DAVIT" register dist --to prod --sarif "$2"
		says "$3"
		is 0 builds
		is 0 rollouts
	}
	none 3 missing.sarif "is not there"
	echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}}}]}' >"$R/no.sarif"
	none 2 no.sarif "the scanner did not look"
	echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"results":[]}]}' >"$R/good.sarif"
	# A good one does not make up for it.
	exits 2 ci "$DAVIT" register dist --sarif good.sarif --sarif no.sarif
	exits 2 ci "$DAVIT" register dist --block-at low
	says "name them with --sarif"
	exits 2 ci "$DAVIT" register dist --sarif good.sarif --block-at none
	exits 2 ci "$DAVIT" register dist --junit results.xml --sarif tests=good.sarif
	says "is that of --junit"
	printf 'waivers: [{ rule: x }]\n' >"$R/waivers.yaml"
	commit "Waivers"
	none 2 good.sarif "waivers.yaml:1"
	# Without davit it is the server that reads it.
	exits 0 ci "$DAVIT" register dist --as v1 --run plain
	told() { jq -n --arg commit "$(g rev-parse HEAD)" --rawfile sarif "$R/$1" '{app: "shop", run: "api", commit: $commit, state: "passed", release: "v1", stages: [{stage: "scan", state: "passed", sarif: [$sarif]}]}' |
		curl -s -w ' %{http_code}' -H "Authorization: Bearer $(cat "$T/ci.token")" -d @- "$BASE/v1/external-builds"; }
	exits 0 told no.sarif
	says "the scanner did not look"
	says " 400"
	is 1 builds
	exits 0 told good.sarif
	says " 201"
	is '0 0 0 0 ' findings_of 2
	# Many are taken whole, too many are refused before anything is sent.
	rm "$R/waivers.yaml"
	commit "No waivers"
	many() { jq -n --argjson n "$1" '{version: "2.1.0", runs: [{tool: {driver: {name: "T"}}, results: [range($n) | {ruleId: "R", level: "note", message: {text: "It is number \(.) of those that somebody has found in here"}, partialFingerprints: {primaryLocationLineHash: "f\(.)"}, locations: [{physicalLocation: {artifactLocation: {uri: "src/\(.).c"}, region: {startLine: 1}}}]}]}]}' >"$R/many.sarif"; }
	many 7000
	exits 0 ci "$DAVIT" register dist --run many --sarif many.sarif
	is '7000 0 0 0 ' findings_of 3
	many 12000
	exits 1 ci "$DAVIT" register dist --run more --sarif many.sarif
	says "scan less, or turn rules off"
}

@test "what docs/how-to/another-ci.md tells people to type does what it says" {
	local page=docs/how-to/another-ci.md block
	serve
	davit token revoke ci >/dev/null
	typed() {
		page_block "$page" "$1" >"$T/block"
		(cd "$R" && exec env PATH="$BUILD:$PATH" bash -e -o pipefail "$T/block" </dev/null 3>&-)
	}
	export DAVIT_STATE=$T/state
	umask 077
	exits 0 typed token
	export DAVIT_HOST=$BASE DAVIT_TOKEN
	DAVIT_TOKEN=$(cat "$R/ci.token")
	unset DAVIT_STATE
	exits 0 typed register
	says passed
	echo version=two >"$R/dist/release.conf"
	commit Second
	exits 0 typed release
	exits 0 typed build
	unset DAVIT_HOST
	export DAVIT_STATE=$T/state
	wait_for 20 "the second" holds v0.0.2 answered
	export DAVIT_HOST=$BASE
	exits 0 typed back
	wait_for 20 "the way back" holds v0.0.1 answered
	if command -v flawfinder >/dev/null; then
		mkdir "$R/src"
		echo "int main(void) { return 0; }" >"$R/src/main.c"
		echo version=three >"$R/dist/release.conf"
		commit Third
		exits 0 typed scan
		says "findings: 0 new"
		wait_for 20 "the third" holds v0.0.3 answered
	fi
	page_has 6 "$page"
	unset DAVIT_HOST
}

answered() { curl -s --max-time 5 -o /dev/null -D - "http://127.0.0.1:$STAGING_PORT/item/1" | tr -d '\r' | awk -F': ' 'tolower($1) == "x-release" { print $2 }'; }
