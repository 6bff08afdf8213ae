#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What statistics judged is kept, and davit judge comes to the same verdict again; or to another, by other rules.

load lib.bash
setup() {
	kit_setup
	STRATEGY='[{ canary: { steps: [20%, 50%], each: { at_least: 10s, at_most: 90s } } }, switch, { bake: 1s }]'
}
teardown() { kit_teardown; }

ran_for() { [ "$(wc -l <"$T/load.json")" -ge "$1" ]; } # seconds: the load writes a line in each

# judged_by_statistics KEY=VALUE...: v1 serves and is known, v2 is bad and comes back
judged_by_statistics() {
	up
	release v1.0.0 errors_bp=20
	release v2.0.0 errors_bp=20 "$@"
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start --mix get=80,post=20
	wait_for 30 "the live release to be known" ran_for 8
	exits 11 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	is v1.0.0 live_tag
	load_stop
	load_is_clean
	sentence=$(rollout '.evidence[-1].text')
	echo "# $sentence" >&3
}

# judge ARGUMENT...: as JSON into $T/judged; $status
judge() {
	status=0
	davit judge "$@" --json >"$T/judged" || status=$?
}

judged() { jq -r --arg what "davit.v1/$1" 'select(.schema == $what)' "$T/judged" | jq -rs "$2"; }

@test "a release that fails one request in twenty: the same verdict again, and other ones by other rules" {
	judged_by_statistics errors_bp=500
	judge --rollout prod
	is 11 echo "$status"
	is fail judged judge-verdict '.[0].verdict'
	is errors judged judge-verdict '.[0].rule'
	is "$sentence" judged judge-verdict '.[0].sentence'
	is v2.0.0 judged judge '.[0].new'
	then=$(judged judge-verdict '.[0].time_ms')
	# People read the same.
	exits 11 davit judge --rollout "$(rollout .number)" --every 1s
	says "$sentence"
	says "judged with"
	fails grep -q "now with" <<<"$output"
	# Whoever wants to be surer waits longer, or is never sure.
	judge --rollout prod --alpha 0.01%
	[ "$status" = 11 ] || [ "$status" = 20 ]
	[ "$(judged judge-verdict '.[0].time_ms')" -ge "$then" ]
	is true judged judge '.[0] | .judged_with.alpha == 0.001 and .now_with.alpha == 0.0001'
	# To whom 20 points more are fine, it is fine.
	exits 20 davit judge --rollout prod --worse-by 100% --or-points 20
	says "now with"
	says "or 20 points"
	fails grep -qE ' fail$' <<<"$output"
}

# nearly SENT KEPT
nearly() {
	echo "sent $1, kept $2"
	[ "$2" -le "$1" ] && [ $(($1 - $2)) -le 3 ]
}

@test "what was kept are the requests that the load generator sent" {
	judged_by_statistics errors_bp=500
	judge --rollout prod --all
	is 11 echo "$status"
	# None twice; what was under way at the verdict and answered when the gateway had forgotten the release may be missing.
	nearly "$(load '.releases["v2.0.0"].answers')" "$(judged judge-tick '.[-1].new.requests')"
	nearly "$(load '.releases["v2.0.0"].errors')" "$(judged judge-tick '.[-1].new.errors')"
	# Of the live release: those before the new one began, and those beside it, but none twice.
	is true judged judge-past '.[0] | .live.requests > 1000 and .past_ms >= 6000'
	is true judged judge-tick '[.[].time_ms] | . == (sort)'
	# The file is what the server sends.
	judge --replay "$T/state/ticks/$(printf %010d "$(rollout .number)").jsonl" --all
	cp "$T/judged" "$T/from-file"
	judge --rollout prod --all
	cmp "$T/judged" "$T/from-file"
}

@test "a slow tail: one answer in twenty takes a quarter of a second longer" {
	judged_by_statistics slow_bp=500 slow_ms=250
	judge --rollout prod
	is 11 echo "$status"
	is "$sentence" judged judge-verdict '.[0].sentence'
	is true judged judge-verdict '.[0].rule | test("^p[0-9]")'
	says_longer() { [[ $sentence == *"took longer than"* ]]; }
	says_longer
}

@test "a rollout that nothing is kept of" {
	up
	exits 3 davit judge --rollout 99
	release v1.0.0
	EXTRA='analysis: { method: rules }'
	release v1.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	exits 3 davit judge --rollout prod
	says "was not judged by statistics"
}

@test "the example of the reference works" {
	sed -n '/^```jsonl$/,/^```$/p' "$BATS_TEST_DIRNAME/../../docs/reference/ticks.md" | sed '/^```/d' >"$T/ticks.jsonl"
	exits 11 davit judge --replay "$T/ticks.jsonl"
	says "fail after 0:0"
	says "requests (10%) failed"
	sed -i '3s/"5xx": 2/"5xx": "two"/' "$T/ticks.jsonl"
	exits 2 davit judge --replay "$T/ticks.jsonl"
	says "ticks.jsonl:3: "
	says '"5xx" is not a whole number'
}

@test "requests are divided as the weight promises; where they are not, nothing passes" {
	up
	release v1.0.0
	release v2.0.0
	deploy v1.0.0
	[ "$status" = 0 ]
	load_start
	wait_for 30 "the live release to be known" ran_for 8
	exits 0 davit deploy prod "$T/rel/v2.0.0" --as v2.0.0
	load_stop
	judge --rollout prod --all
	is true judged judge-tick 'map(.division_odds) | max < 1000 and min < 1'
	# The same rollout by another weight, up to the end of its first step.
	awk '/"mark":"step"/ { n++ } n < 2' "$T/state/ticks/$(printf %010d "$(rollout .number)").jsonl" >"$T/as-it-was"
	grep -q '"divided":\[2000,' "$T/as-it-was"
	exits 0 davit judge --replay "$T/as-it-was"
	sed 's/"divided":\[2000,/"divided":[4000,/' "$T/as-it-was" >"$T/otherwise"
	exits 20 davit judge --replay "$T/otherwise"
	says "that were divided by weight"
	says "where its weight is 40%; the odds are "
	says "that the gateway does not divide as it was told; nothing passes before it is understood"
}
