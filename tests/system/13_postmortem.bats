#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A release that is taken back leaves a post-mortem whose numbers are those of the load generator; dora counts it.

load lib.bash
setup() {
	kit_setup
	STRATEGY='[{ canary: { steps: [20%, 50%], each: { at_least: 10s, at_most: 90s } } }, switch, { bake: 1s }]'
}
teardown() { kit_teardown; }

ran_for() { [ "$(wc -l <"$T/load.json")" -ge "$1" ]; } # seconds: the load writes a line in each

facts() { davit postmortem "${ROLLOUT:-prod}" --json | jq -r "$1"; }
dora() { davit dora prod --json | jq -r ".environments[0] | $1"; }

draft() { echo "$T/state/postmortems/$(printf %010d "$1").md"; }

# a_bad_release: v1 serves, v2 fails one request in ten and comes back by itself; both under load
a_bad_release() {
	up
	release v1.0.0 errors_bp=20
	ENVIRONMENT_EXTRA='    env: { GREETING: "not for everybody" }'
	release v2.0.0 errors_bp=1000
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start --mix get=80,post=20
	wait_for 30 "the live release to be known" ran_for 8
	exits 11 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	wait_for 10 "the draft" test -s "$(draft 2)"
	load_stop
	load_is_clean
}

@test "a bad release leaves a post-mortem whose numbers are the load generator's, the same bytes each time" {
	a_bad_release
	is "$(load '.releases["v2.0.0"].answers')" facts .impact.bad.requests
	is "$(load '.releases["v2.0.0"].errors')" facts .impact.bad.errors
	is true facts '.impact | .counted and .expected_errors < .bad.errors and .weight_most_bp == 2000 and .exposed_ms > 0'
	is "davit's judge" facts .detection.by
	is errors facts .detection.metric
	is true facts '.detection | .requests_until_verdict > .requests_until_bad and .time_to_detect_ms <= .verdict_ms'
	is true facts '.response | .verdict_to_zero_ms > 0 and .zero_to_validated_ms > 0'
	# The verdict is that of davit why, and what the ticks say again.
	is "$(rollout '.history | map(select(.to == "reverting"))[0].text')" facts .detection.evidence
	is true facts '.gate_review.replays | .[0].caught and .[0].requests >= .[1].requests and .[1].caught'
	is "$(davit judge --rollout prod --json | jq -rs '.[-1].time_ms')" facts '.gate_review.replays[0].at_ms'
	# Where the value of a variable differs, only its name is told.
	is true facts '.changes | any((.key | endswith("env.GREETING")) and .hidden and (has("after") | not))'
	fails grep -rq "not for everybody" "$T/state/postmortems"
	# Every line of the timeline names its event, and the audit log has it.
	is true facts '.timeline | length > 5 and all(.event | test("^(audit|evidence) [0-9]+$"))'
	davit audit --json | jq -r '.entries[] | "audit \(.seq)"' >"$T/audit"
	facts '.timeline[].event | select(startswith("audit"))' >"$T/named"
	fails grep -vxFf "$T/audit" "$T/named"
	# The outcome names the command.
	exits 0 davit why prod
	says "davit postmortem 2"

	# The draft is the same document, twice, and after a restart of the server; so is the page.
	davit postmortem prod >"$T/one.md"
	davit postmortem 2 >"$T/two.md"
	davit postmortem 2 --format html >"$T/one.html"
	cmp "$T/one.md" "$T/two.md"
	cmp "$T/one.md" "$(draft 2)"
	down
	rm "$(draft 2)"
	up
	davit postmortem 2 >"$T/two.md"
	cmp "$T/one.md" "$T/two.md"
	davit postmortem 2 --format html >"$T/two.html"
	cmp "$T/one.html" "$T/two.html"
	# What was lost is written again.
	wait_for 10 "the draft again" test -s "$(draft 2)"
	cmp "$T/one.md" "$(draft 2)"

	# The page needs nothing else, and nothing in it runs.
	fails grep -qiE '<script|<link|<img|<iframe|src=|href=|url\(|[[:space:]]on[a-z]+=' "$T/one.html"
	python3 - "$T/one.html" <<'PYTHON'
import sys
from html.parser import HTMLParser
class Nesting(HTMLParser):
    def __init__(self):
        super().__init__(); self.open, self.svg = [], 0
    def handle_starttag(self, tag, attrs):
        if tag not in ("meta",): self.open.append(tag)
        self.svg += tag == "svg"
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()
p = Nesting(); p.feed(open(sys.argv[1], encoding="utf-8").read()); p.close()
assert not p.open and p.svg == 3, (p.open, p.svg)
PYTHON

	# dora: one that users met failed, and is well again.
	is 1 dora .deployment_frequency.deployments
	is 2 dora .change_fail_rate.exposed
	is 1 dora .change_fail_rate.failed
	is null dora .change_fail_rate.rate
	is 1 dora .failed_deployment_recovery_time.recovery.n
	is 0 dora .failed_deployment_recovery_time.ongoing
	exits 0 davit dora prod --rows
	says "no commits known"
	says "recovered in"
	exits 2 davit dora --window 1h
}

@test "a person goes back from what was live: that is a post-mortem and a failed deployment, too" {
	STRATEGY=$FAST_BLUE_GREEN EXTRA='analysis: off'
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	deploy v2.0.0
	[ "$status" = 0 ]
	is 0 dora .change_fail_rate.failed
	exits 0 davit rollback prod -m 'orders are lost'
	# The four steps of it, each with its time, and the way on.
	for line in '1 identify .*[0-9]:[0-9].* by .*: orders are lost' '2 switch .*[0-9]:[0-9].*ms .*no request for v2.0.0 any more' \
		'3 validate .*[0-9]:[0-9].*s .*v1.0.0 serves everything' '4 post-mortem .*davit postmortem 3'; do
		grep -q "$line" <<<"$output" || { echo "$output"; false; }
	done
	says "Next: davit postmortem 3"
	is 'done' rollout '.way_back[1].state'
	wait_for 10 "the draft" test -s "$(draft 3)"
	is v2.0.0 facts .bad.tag
	is "a person" facts .detection.by
	is "orders are lost" facts .detection.evidence
	is true facts '.response.verdict_to_zero_ms > 0'
	fails grep -q "not measured" "$(draft 3)"
	is 10000 facts .impact.weight_most_bp
	is false facts .impact.counted
	is 2 dora .deployment_frequency.deployments
	is 1 dora .change_fail_rate.failed
	exits 3 davit postmortem 99
	fails test -e "$(draft 2)"
	exits 0 davit audit --verify
}
