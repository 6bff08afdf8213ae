#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# davit guide: a team's deployment guide from its davit.yaml, without a server. davit diff: two environments, compared.

load lib.bash

setup() {
	kit_setup
	STAGING_PORT=$(free_port)
	INSTANCES=1
	STRATEGY='[{ canary: { steps: [1%, 10%], each: { at_least: 2m, at_most: 15m } } }, switch, { bake: 30m }]'
	ENVIRONMENT_EXTRA="    from: staging
    soak: 30m
    approve: { by: [managers], on_reject: rollback }
    windows: { days: mon-thu, hours: \"09:00-16:00\", zone: Europe/Berlin }
    secrets: { DATABASE_URL: davit:prod/db, COOKIE_KEY: { from: davit:cookie-key, as: file, version: pinned } }
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: recreate, analysis: off, verify: [smoke], trigger: { branch: main }, env: { LOG: staging } }"
	EXTRA="checks: { smoke: [{ get: /up, contains: \"<b>Shop | *x*\" }] }
migrate: { before: bin/migrate expand, after: bin/migrate contract }
pipeline:
  compile: { run: make, outputs: [bin/] }
  package: { needs: [compile], archive: [bin/] }"
}

teardown() { kit_teardown; }

guide() { exits 0 davit guide "$@" "$T/davit.yaml"; }

@test "the guide has every part that davit.yaml speaks of, needs no server, and is the same each time" {
	write_config "$T/davit.yaml"
	guide
	for text in "# Deployment guide: shop" "## Environments" "## Workflow" "## Pipeline" "## Checks" "## What is watched" "## Data" "## Rollback" \
		"once it is good in staging for 30m; waits for 1 person of managers, not the author, within 1d" \
		"canary: 1%, 10% of the requests, each for at least 2m and at most 15m" "mon-thu 09:00-16:00, Europe/Berlin" \
		'by itself, when a push moves main' 'n3 -->|"main"|' '```mermaid' 'n0(["Commit"])' 'approved by managers?' "## Production" "| an environment before it | the same artifact was good in staging for 30m |" \
		"## Tags" "What has succeeded in prod is tagged in git" "## Secrets" \
		'| davit:prod/db | prod | web, as DATABASE\_URL | its value | the newest |' \
		'| davit:cookie-key | prod | web, as COOKIE\_KEY | a file, whose path is in it | the one it went out with |' "davit rollback prod" "--across-migration"; do
		says "$text"
	done
	# What is in it is text, never markup.
	says '&lt;b\>Shop \| \*x\*'
	first=$output
	guide
	[ "$output" = "$first" ]
	guide --json
	is davit.v1/guide jq -r .schema <<<"$output"
}

@test "a tag that brings a release is said to, and who has to sign it" {
	ENVIRONMENT_EXTRA='    from: staging
    soak: 30m
    trigger: { tag: "v*", signed: true }
  staging: { listen: "127.0.0.1:'$STAGING_PORT'", strategy: recreate }'
	EXTRA=''
	write_config "$T/davit.yaml"
	guide
	says 'A tag v\* brings the commit to prod, and names its release; it has to be signed by one of the server'
	says 'by itself, when a push moves the tag v\*, once it is good in staging for 30m'
	fails says "## Secrets"
	fails says "asks for that"
	# What the server's own file demands holds without a word of davit.yaml.
	sed -i 's/, signed: true//' "$T/davit.yaml"
	guide
	fails says "has to be signed"
	cat >"$T/server.yaml" <<-YAML
		allowed_signers: /etc/davit/signers
		protect: { shop/prod: { signed_tags: true }, shop/staging: { signed_tags: true }, other/prod: { signed_tags: true } }
		sources: { shop: { git: "https://git.example.com/shop.git", push_tags: true }, other: { git: "https://git.example.com/other.git", push_tags: true } }
	YAML
	guide --server "$T/server.yaml"
	says 'A tag v\* brings the commit to prod, and names its release; it has to be signed by one of the server'"'"'s allowed signers (git tag -s). The server'"'"'s own file asks for that'
	says 'Nothing is brought to staging by itself but by a tag that is signed by one of the server'
	is 1 grep -c "Tags that davit makes are pushed" <<<"$output"
}

@test "times are told with their zone, by the guide and when the file is validated" {
	ENVIRONMENT_EXTRA='    trigger: { branch: main, schedule: "mon-fri 02:30", zone: Europe/Berlin }
  weekly: { listen: "127.0.0.1:'$STAGING_PORT'", strategy: recreate, trigger: { branch: main, schedule: [sat 04:00, sun 05:00] } }
  moon: { listen: "127.0.0.1:1", strategy: recreate, trigger: { branch: main, schedule: 02:30, zone: Moon/Base } }'
	write_config "$T/davit.yaml"
	guide
	says "by itself, at mon-fri 02:30 (Europe/Berlin): main as it is then, if that is something new"
	says 'n3 -->|"main at mon-fri 02:30"|'
	says 'n3 -->|"main at its times"|'
	exits 0 davit validate
	says "prod: main at mon-fri 02:30 (Europe/Berlin), next "
	says "weekly: main at sat 04:00; sun 05:00 (UTC), next "
	says "moon: main at 02:30 (Moon/Base), a time zone that this machine does not know."
	exits 0 davit validate --json
	is true jq '.environments[0].schedule.next_unix_ms > now * 1000' <<<"$output"
	is null jq .environments[2].schedule.next_unix_ms <<<"$output"
}

@test "the page of HTML is whole, loads nothing, and has the workflow drawn" {
	write_config "$T/davit.yaml"
	guide --html
	printf '%s' "$output" >"$T/guide.html"
	python3 - "$T/guide.html" <<'PYTHON'
import html.parser, sys
class Page(html.parser.HTMLParser):
    void, open, boxes = {"meta", "line", "rect", "path"}, [], 0
    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        assert tag not in ("script", "link", "img", "iframe") and not {"src", "href"} & set(names), tag
        self.boxes += tag == "rect"
        if tag not in self.void: self.open.append(tag)
    def handle_endtag(self, tag):
        if tag not in self.void: assert self.open.pop() == tag, tag
page = Page()
page.feed(open(sys.argv[1]).read())
assert not page.open and page.boxes > 8, (page.open, page.boxes)
PYTHON
	says "default-src 'none'"
	says "&lt;b&gt;Shop | *x*"
}

@test "with the server's own file the guide says who may what, and what no commit can lower" {
	write_config "$T/davit.yaml"
	cat >"$T/server.yaml" <<-YAML
		people: { ann: ["user:ann"], bob: ["user:bob"] }
		groups: { managers: [ann] }
		protect: { shop/prod: { deploy: [managers], clear: [bob], verify: [smoke], analysis: [errors], from: staging } }
	YAML
	guide
	fails says "Who may what"
	guide --server "$T/server.yaml"
	says "| prod | managers | managers | managers | bob | verify: smoke; analysis: errors; from: staging |"
	says "| staging | whoever runs the server |"
	says "managers: ann"
	echo "groups: { managers: [eve] }" >"$T/server.yaml"
	exits 2 davit guide --server "$T/server.yaml" "$T/davit.yaml"
	says "nobody called \"eve\""
}

@test "a file with errors makes no guide" {
	echo "app: shop" >"$T/davit.yaml"
	exits 2 davit guide "$T/davit.yaml"
	exits 2 davit guide "$T/nothing.yaml" || exits 3 davit guide "$T/nothing.yaml"
}

@test "two environments are compared: release, files, and the configuration key by key; variables stay hidden" {
	ENVIRONMENT_EXTRA="    env: { LOG: prod-secret }
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: [switch], analysis: off, env: { LOG: staging-secret } }"
	STRATEGY='[switch]'
	EXTRA=''
	up
	release v1
	exits 0 davit deploy staging "$T/rel/v1" --as v1
	exits 0 davit diff staging..prod || exits 3 davit diff staging..prod
	deploy v1
	[ "$status" = 0 ]
	exits 0 davit diff staging..prod
	says "The files are the same."
	says "settings.listen"
	says "- 127.0.0.1:$STAGING_PORT"
	says "+ 127.0.0.1:$PORT"
	says "settings.processes.web.env.LOG"
	fails grep -q secret <<<"$output"
	release v2 errors_bp=1
	exits 0 davit deploy staging "$T/rel/v2" --as v2
	exits 0 davit diff staging prod --json
	is different jq -r .files <<<"$output"
	is "v2 v1" jq -r '"\(.left.tag) \(.right.tag)"' <<<"$output"
	is true jq '.left.since_unix_ms > .right.since_unix_ms' <<<"$output"
	is true jq '.changes | map(select(.key == "settings.processes.web.env.LOG")) | .[0].hidden' <<<"$output"
	exits 2 davit diff staging
	exits 3 davit diff staging..nowhere
	exits 0 davit diff prod..prod
	says "No key of the configuration differs."
}
