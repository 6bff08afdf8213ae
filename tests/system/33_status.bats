#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What became of a commit is told to the host of its repository: GitHub, GitLab, Gitea, played by a server that takes
# nothing but what their documentation has.

load lib.bash

TOP=$BATS_TEST_DIRNAME/../..

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port) HOST_PORT=$(free_port)
	INSTANCES=1 STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA="    trigger: { tag: \"v*\" }
    production: true
    analysis: off
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off, trigger: { branch: main } }"
	EXTRA='pipeline:
  unit: { run: "sh test.sh" }
  package: { needs: [unit], archive: [app, more] }'
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name Ann
	g config user.email ann@example.com
	write_config "$R/davit.yaml"
	cp "$BUILD/tests/system/app" "$R/app"
	echo true >"$R/test.sh"
	echo 1 >"$R/more"
	commit First
	(umask 077 && echo canary-token-77aa >"$T/token")
	: >"$T/host.log"
	write_server github
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
commit() { g add -A && g commit -q --allow-empty -m "$1"; }
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
build_of() { davit builds "$1" --json | jq -r "$2"; }
write_server() {
	cat >"$T/server.yaml" <<-YAML
		hosts:
		  shop: { kind: $1, repository: acme/shop, token_file: $T/token, api: "http://127.0.0.1:$HOST_PORT/api" }
	YAML
}
# A host that answers as it is told by $T/host.mode: ok, 500, 401, hang, limit; lost: the answer to a new deployment, and
# then limit.
host_start() {
	cat >"$T/host.py" <<'PYTHON'
import http.server, json, re, sys, time, urllib.parse
port, root, kind = int(sys.argv[1]), sys.argv[2], sys.argv[3]
deployments = []
def mode():
    try: return open(root + "/host.mode").read().strip()
    except OSError: return "ok"
STATUS = {"github": {"error", "failure", "pending", "success"}, "gitea": {"error", "failure", "pending", "success", "warning"},
          "gitlab": {"pending", "running", "success", "failed", "canceled", "skipped"}}[kind]
DEPLOYMENT = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
TOKEN = {"github": ("Authorization", "Bearer canary-token-77aa"), "gitea": ("Authorization", "token canary-token-77aa"),
         "gitlab": ("PRIVATE-TOKEN", "canary-token-77aa")}[kind]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def say(self, status, body, **fields):
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in fields.items(): self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
    def note(self, *words):
        with open(root + "/host.log", "a") as f: f.write(" ".join(map(str, words)) + "\n")
    def wrong(self, why): self.note("WRONG", why); self.say(422, {"message": why})
    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        now = mode()
        if now == "hang": time.sleep(30); self.close_connection = True; return
        if now == "500": return self.say(500, {"message": "out of order"})
        if now == "limit": self.note("LIMIT"); return self.say(403, {"message": "slow down"}, Retry_After="2")
        if now == "401" or self.headers.get(TOKEN[0]) != TOKEN[1]: return self.say(401, {"message": "Bad credentials"})
        if kind == "github" and (self.headers.get("Accept") != "application/vnd.github+json" or not self.headers.get("User-Agent")
                                 or self.headers.get("X-GitHub-Api-Version") != "2022-11-28"): return self.wrong("headers")
        path, _, query = self.path.partition("?")
        sent = json.loads(body) if body else None
        if sent is not None:
            with open(root + "/host.sent", "a") as f: f.write(json.dumps({"path": path, "body": sent}) + "\n")
        if sent is not None and len(sent.get("description", "")) > 140: return self.wrong("description is too long")
        status = re.fullmatch("/api/projects/acme%2Fshop/statuses/([0-9a-f]{40})" if kind == "gitlab" else "/api/repos/acme/shop/statuses/([0-9a-f]{40})", path)
        if status and self.command == "POST":
            name = sent["name" if kind == "gitlab" else "context"]
            if sent["state"] not in STATUS or set(sent) - {"state", "context", "name", "description", "target_url"}: return self.wrong(body)
            self.note("status", status[1][:7], name, sent["state"], sent["description"]); return self.say(201, {"id": 1})
        if kind != "github": return self.wrong(self.path)
        if path == "/api/repos/acme/shop/deployments" and self.command == "GET":
            want = dict(urllib.parse.parse_qsl(query))
            return self.say(200, [d for d in deployments if d["ref"] == want["sha"] and d["environment"] == want["environment"]])
        if path == "/api/repos/acme/shop/deployments" and self.command == "POST":
            if sent["required_contexts"] != [] or sent["auto_merge"] is not False or not re.fullmatch("[0-9a-f]{40}", sent["ref"]) \
               or not isinstance(sent["production_environment"], bool) or sent["transient_environment"] is not False: return self.wrong(body)
            deployments.append(dict(sent, id=1000 + len(deployments)))
            self.note("deployment", deployments[-1]["id"], sent["ref"][:7], sent["environment"], sent["production_environment"])
            if now == "lost":
                with open(root + "/host.mode", "w") as f: f.write("limit")
                self.close_connection = True; return
            return self.say(201, {"id": deployments[-1]["id"], "sha": sent["ref"]})
        one = re.fullmatch("/api/repos/acme/shop/deployments/([0-9]+)/statuses", path)
        if one and self.command == "POST":
            if sent["state"] not in DEPLOYMENT or not any(d["id"] == int(one[1]) for d in deployments): return self.wrong(body)
            self.note("deployment", one[1], sent["state"]); return self.say(201, {"id": 1})
        self.wrong(self.path)
    do_GET = do_POST = take
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
PYTHON
	env -u DAVIT_TEST_MARK python3 "$T/host.py" "$HOST_PORT" "$T" "$1" 3>&- 4>&- &
	host_pid=$!
	chaos_pids+=("$host_pid")
	wait_for 10 "the host" eval "exec 9<>/dev/tcp/127.0.0.1/$HOST_PORT"
	: >"$T/host.log"
}
told() { grep -qE "$1" "$T/host.log"; }
pushed() { g push -q davit "$@" >"$T/push.log" 2>&1; }

@test "GitHub is told of builds, rollouts and deployments, in its own words" {
	host_start github
	up --server "$T/server.yaml"
	exits 0 env -C "$R" "$DAVIT" remote
	local first second
	first=$(g rev-parse --short=7 HEAD)
	pushed main
	wait_for 30 "v0.0.1 in staging" holds v0.0.1 live_in staging
	wait_for 20 "the end of staging" told "^status $first davit/staging success v0.0.1 is live"
	told "^status $first davit/build success Build 1 passed\.$"
	g tag v1.0.0
	pushed v1.0.0
	wait_for 30 "v1.0.0 in prod" holds v1.0.0 live_in prod
	wait_for 20 "the deployment" told "^deployment 1001 success"
	told "^deployment 1000 $first staging False"
	told "^deployment 1001 $first prod True"
	told "^status $first davit/prod success v1.0.0 is live"

	# A test that fails; nothing of a rollout.
	echo 'echo broken; exit 3' >"$R/test.sh"
	commit Second
	second=$(g rev-parse --short=7 HEAD)
	pushed main
	wait_for 20 "the failure" told "^status $second davit/build failure Build 3 failed"
	fails told "^status $second davit/(prod|staging)"

	# One that is taken back.
	echo 'echo fine' >"$R/test.sh"
	cat >"$R/app" <<-'SH'
		#!/bin/sh
		exit 1
	SH
	commit Third
	local third
	third=$(g rev-parse --short=7 HEAD)
	pushed main
	wait_for 40 "the way back" told "^status $third davit/staging failure v[0-9.]* was taken back"
	wait_for 20 "the deployment" told "^deployment 1002 failure"
	fails told WRONG
	fails grep -rqF canary-token "$T/state" "$T/up.log"
	fails eval "ps -eo args | grep -v grep | grep -q canary-token"
	exits 0 davit builds 1
	fails eval 'echo "$output" | grep -q "not told"'
	is "3 told" eval "davit builds 1 --json | jq -r '[.told[] | select(.context != \"davit/prod\") | .outcome] | \"\(length) \(unique[0])\"'"
	# What GitHub itself publishes of these calls, where that can be fetched.
	run /usr/bin/python3 "$BATS_TEST_DIRNAME/../conformance/github_schema.py" "$T/host.sent"
	[ "$status" -ne 77 ] || skip "${output##*skipped: }"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "a host that is away, slow, busy or refuses delays nothing; what is not out of date is told later, once" {
	echo hang >"$T/host.mode"
	host_start github
	up --server "$T/server.yaml"
	exits 0 env -C "$R" "$DAVIT" remote
	local first
	first=$(g rev-parse --short=7 HEAD)
	pushed main
	wait_for 20 "v0.0.1 in staging, whatever the host does" holds v0.0.1 live_in staging
	kill -9 "$host_pid"
	wait_for 30 "the note of it" eval 'davit builds 1 | grep -q "The host was not told that davit/build.*cannot be reached.*It is tried again"'
	down

	# The answer to a new deployment is lost: it is found again, and not made twice.
	echo lost >"$T/host.mode"
	host_start github
	up --server "$T/server.yaml"
	wait_for 60 "the deployment" told "^deployment 1000 $first staging"
	wait_for 40 "a refusal for now" told LIMIT
	echo ok >"$T/host.mode"
	wait_for 60 "the build" told "^status $first davit/build success"
	wait_for 60 "its state" told "^deployment 1000 success"
	wait_for 60 "the rollout" told "^status $first davit/staging success"
	is 1 grep -c "^deployment 1000 $first" "$T/host.log"
	is 1 grep -c "davit/build" "$T/host.log" # what was out of date by then is not told

	# A token that holds no longer is told to people.
	echo 401 >"$T/host.mode"
	echo 2 >"$R/more"
	commit Second
	pushed main
	wait_for 30 "the refusal" eval 'davit builds 2 | grep -q "The host was not told that davit/build .*answered 401: Bad credentials"'
	is "given up" eval "davit builds 2 --json | jq -r '[.told[] | .outcome][0]'"
	fails told WRONG
}

@test "killed between the telling and the note of it, a deployment is made once" {
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	host_start github
	up --server "$T/server.yaml"
	exits 0 env -C "$R" "$DAVIT" remote
	local nth
	for nth in 1 2; do
		echo "host.after-deployment 1" >"$DAVIT_FAILPOINT_FILE"
		echo "$nth" >"$R/more"
		commit "Number $nth"
		pushed main || true
		wait_for 20 "the kill" test -e "$DAVIT_FAILPOINT_FILE.taken"
		rm -f "$DAVIT_FAILPOINT_FILE.taken"
		wait_for 60 "the end" told "^status $(g rev-parse --short=7 HEAD) davit/staging success"
	done
	wait_for 20 "the last deployment" eval '[ "$(grep -c "^deployment [0-9]* success" "$T/host.log")" -ge 2 ]'
	is 2 eval 'grep -c "^deployment [0-9]* [0-9a-f]\{7\} staging" "$T/host.log"'
	fails told WRONG
}

@test "GitLab and Gitea are told in theirs; a token that is open to others is not used" {
	local kind commit
	commit=$(g rev-parse --short=7 HEAD)
	for kind in gitlab gitea; do
		write_server "$kind"
		host_start "$kind"
		up --server "$T/server.yaml"
		exits 0 env -C "$R" "$DAVIT" remote
		pushed main
		wait_for 30 "the end" told "^status $commit davit/staging success v0.0.1 is live"
		fails told WRONG
		fails told deployment
		down
		kill "$host_pid"
		rm -rf "$T/state"
		g remote remove davit
	done
	host_start gitea
	chmod 644 "$T/token"
	up --server "$T/server.yaml"
	exits 0 env -C "$R" "$DAVIT" remote
	pushed main
	wait_for 30 "the refusal" eval 'davit builds 1 | grep -q "Others may read or change $T/token"'
	fails told status
	# Where the file of the server is wrong, it says what.
	local wrong
	for wrong in 'kind: gitea, repository: acme/shop, token_file: /t' 'kind: github, repository: "../x", token_file: /t' 'kind: github, repository: acme/shop, token_file: /t, api: "http://example.com"'; do
		printf 'hosts: { shop: { %s } }\n' "$wrong" >"$T/wrong.yaml"
		fails env -C "$T" timeout 20 "$DAVIT" up --state "$T/other" --server "$T/wrong.yaml" >"$T/wrong.log" 2>&1 3>&-
		grep -q "wrong.yaml:1" "$T/wrong.log"
	done
}
