/* SPDX-License-Identifier: Apache-2.0
 * commands_kept - the table of verbs, second half: what is kept and looked up, and what keeps it. See commands.c. */
#include "cli/commands.h"
#include "cli/verbs.h"

/* clang-format off */

const struct cli_command commands_kept[] = {
	{.name = "releases",
	 .arguments = "[mark-bad|clear] [ENV] [VERSION]",
	 .summary = "the releases that davit has; mark one bad, or clear it",
	 .details = "With an environment: those of its application, with what is marked bad there. A release that is "
		    "marked bad is refused by davit deploy and passed over by davit rollback in that environment; "
		    "davit marks what it rolled back by itself. Another release of the same commit is refused as well, there and in "
		    "environments that lead there.",
	 .examples = "  davit releases prod\n"
		     "  davit releases mark-bad prod v1.4.2 -m 'loses orders'\n"
		     "  davit releases clear prod v1.4.2",
	 .json = "davit.v1/releases; davit.v1/mark",
	 .args_max = 3,
	 .options = {REASON},
	 .run = verb_releases},
	{.name = "webhook",
	 .arguments = "[list | look APP]",
	 .summary = "repositories that are looked at for commits; their webhooks",
	 .details = "Those that the server's own file names under sources, each at its interval and when a signed request of its host "
		    "says so, and those that are pushed to this server. \"look\" looks at one now.",
	 .examples = "  davit webhook\n"
		     "  davit webhook look shop",
	 .json = "davit.v1/sources: sources, listen; davit.v1/source: app, state",
	 .args_max = 2,
	 .run = verb_webhook},
	{.name = "secrets",
	 .arguments = "[list | set|rotate|remove NAME]",
	 .summary = "what applications are given and nobody reads again",
	 .details = "NAME is as in davit.yaml, without \"davit:\": prod/db is for the environment prod alone, mail for all. The value is "
		    "read from standard input; a newline at its end is not part of it, unless --raw is said. Each one is a version "
		    "more; instances get the newest when they are started. \"rotate\" sets a new value and restarts, a part "
		    "after the other, what runs with the old one.\n"
		    "Values are sealed in the server's database; the key is in a file of its own (secrets.key in the state directory, or "
		    "where the server's own file says). There is no way to read one back.",
	 .examples = "  davit secrets set prod/db <url.txt\n"
		     "  pass show db | davit secrets rotate prod/db\n"
		     "  davit secrets list\n"
		     "  davit secrets remove prod/db",
	 .json = "davit.v1/secrets: secrets; davit.v1/secret: app, name, version; of rotate also restarted, left",
	 .args_max = 2,
	 .options = {{"app", 0, "APP", "whose (default: of ./davit.yaml, else the server's only one)"},
		     {"raw", 0, NULL, "the value is everything that is read, with the last newline"}},
	 .run = verb_secrets},
	{.name = "token",
	 .arguments = "[list | create|revoke NAME]",
	 .summary = "who may speak to this server over the network",
	 .details = "Where the server's own file has \"api: { listen: … }\", programs elsewhere do with a token what its scopes allow: read "
		    "(all that is shown), release (releases and builds made elsewhere), build, deploy (and rollback), rollback, approve, kpi, secrets. "
		    "Every one but kpi and secrets may look at what it reaches. \"create\" prints the token, this once, alone on standard "
		    "output; the server keeps its digest. --for names applications and environments that it reaches, with a comma between. "
		    "In the audit log, and under people in the server's file, it is token:NAME.\n"
		    "A program shows it in the header \"Authorization: Bearer TOKEN\"; davit itself takes it from DAVIT_TOKEN, or from the file "
		    "that DAVIT_TOKEN_FILE names, with --host https://HOST:PORT. Tokens are made on the server's machine, or over ssh.",
	 .examples = "  davit token create github-ci --scope release,deploy --for shop/staging\n"
		     "  davit token create pager --scope rollback --expires 30d\n"
		     "  davit token list\n"
		     "  davit token revoke github-ci",
	 .json = "davit.v1/tokens: tokens, listen; davit.v1/token: name, token, scopes, reach, expires_unix_ms",
	 .args_max = 2,
	 .options = {{"scope", 0, "SCOPES", "what it may do, with a comma between (default: read)"},
		     {"for", 0, "APP[/ENV]", "what it reaches, with a comma between (default: everything)"},
		     {"expires", 0, "TIME", "how long it is good, at most 366d (default: 90d)"}},
	 .run = verb_token},
	{.name = "config",
	 .arguments = "ENV",
	 .summary = "what the live release runs with, every default written out",
	 .details = "The configuration travels with a release: this is the one it was made with, not the file as it is "
		    "now.",
	 .examples = "  davit config prod\n"
		     "  davit config prod --json | jq .config.settings.processes",
	 .json = "davit.v1/config: config",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_config},
	{.name = "history",
	 .arguments = "[ENV]",
	 .summary = "the rollouts that were, newest first",
	 .details = "Number, start, environment, how it ended, what it was, from which version to which, strategy, who, how "
		    "long, and why.",
	 .examples = "  davit history prod\n"
		     "  davit why 42",
	 .json = "davit.v1/rollouts: rollouts",
	 .args_max = 1,
	 .options = {{"limit", 'n', "N", "so many at most (default 50)"}},
	 .run = verb_history},
	{.name = "preview",
	 .arguments = "ENV",
	 .summary = "a token by which a new release is seen before users see it",
	 .details = "While a release goes out and does not have all requests, whoever sends the token reaches it, in the header "
		    "X-Davit-Preview or the cookie davit-preview, whatever its share. It ends by itself, and with the release: then it is "
		    "worth nothing, and who sends it is served as everybody. It is printed alone on standard output and kept nowhere, and "
		    "beside it, where the host is known, a link by which a browser gets the cookie; the audit log says who was given one. Docs: how-to/preview.md.",
	 .examples = "  davit preview prod\n"
		     "  davit preview prod --for 2h\n"
		     "  curl -H \"X-Davit-Preview: $(davit preview prod)\" https://shop.example.com/",
	 .json = "davit.v1/preview: environment, release, tag, token, url, link, expires_unix_ms",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"for", 0, "TIME", "how long it is good, at most 30d (default: 1h)"}},
	 .run = verb_preview},
	{.name = "diffs",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "where a new release answers otherwise than the live one",
	 .details = "Of a rollout with a shadow: how many copies were sent and compared, and the places in which the answers "
		    "differ, the status, a field of the head, a path in JSON: how often, how often the live release's own "
		    "second answers differ there (noise), and an example of each without its secrets. What differs more than "
		    "noise does comes first. Then how fast both answered the same requests. Docs: how-to/shadow.md.",
	 .examples = "  davit diffs prod\n"
		     "  davit diffs 42\n"
		     "  davit diffs 42 --json | jq '.places[] | select(.beyond_noise)'",
	 .json = "davit.v1/diffs",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_diffs},
	{.name = "postmortem",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "the post-mortem of a rollout, its facts written by davit",
	 .details = "What shipped, what broke and by how much, how long users met it, how it was found and taken back; the "
		    "timeline with the events of the audit log; the keys of the configuration that differ; the curves; and "
		    "which settings would have caught it earlier, judged again on the same ticks. What only people know is a "
		    "question with room for the answer. The same records give the same bytes.\n"
		    "davit drafts it by itself when a release that users have met is taken back: STATE/postmortems.",
	 .examples = "  davit postmortem prod > postmortem.md\n"
		     "  davit postmortem 42 --format html > 42.html\n"
		     "  davit postmortem 42 --json | jq .impact",
	 .json = "davit.v1/postmortem: the facts",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"format", 0, "FORMAT", "md (default) or html"}},
	 .run = verb_postmortem},
	{.name = "dora",
	 .arguments = "[ENV]",
	 .summary = "how often is deployed, how much fails, how soon it is well again",
	 .details = "Deployment frequency, change lead time, change fail rate, failed deployment recovery time and rework "
		    "rate, from davit's own records, of each environment by itself. Fewer than five say nothing, and are "
		    "called so; what is not recorded is left out.",
	 .examples = "  davit dora prod\n"
		     "  davit dora prod --window 30d --rows",
	 .json = "davit.v1/dora: from_unix_ms, to_unix_ms, environments",
	 .args_max = 1,
	 .options = {{"window", 0, "DURATION", "so far back (default 90d)"},
		     {"rows", 0, NULL, "the deployments behind the numbers, too"}},
	 .run = verb_dora},
	{.name = "logs",
	 .arguments = "[ENV[/PROCESS]|build/N[/STAGE]]",
	 .summary = "what the instances write, or the stages of a build",
	 .details = "One line is INSTANCE TIME TEXT, of a build STAGE TIME TEXT. On a terminal, control characters of the program "
		    "are shown as what they are. --follow of a build ends when the build does.\n"
		    "--grep shows the lines that have TEXT in them, as it is written: of an environment, of a build, or (without a "
		    "target) of all builds whose logs are kept, the newest first. It ends after 100 lines, 1 GiB of logs or 10 seconds, "
		    "and says so. How long the logs of builds are kept stands in the server's own file (\"logs\").",
	 .examples = "  davit logs prod\n"
		     "  davit logs prod/web -f -n 20\n"
		     "  davit logs build/41/unit -f\n"
		     "  davit logs --grep 'connection refused' --since 7d",
	 .json = "davit.v1/log, a line each: instance, time, text; of a build davit.v1/build-line: stage, line; with --grep "
		 "davit.v1/log-match, at the end davit.v1/log-search: more, why",
	 .args_max = 1,
	 .options = {{"follow", 'f', NULL, "and what comes, until Ctrl-C or the build's end"},
		     {"lines", 'n', "N", "the last N lines of each instance (default 200) or stage; with --grep so many (100)"},
		     {"instance", 0, "ID", "of this instance only"},
		     {"grep", 'g', "TEXT", "only lines that have this text in them"},
		     {"ignore-case", 'i', NULL, "with --grep: a is A, in the letters a to z"},
		     {"since", 0, "DURATION", "with --grep: not older than 30m, 12h, 7d"},
		     {"app", 0, "NAME", "with --grep: builds of this application only"}},
	 .run = verb_logs},
	{.name = "exec",
	 .place = CLI_RUNS_THERE,
	 .arguments = "ENV[/PROCESS] -- COMMAND...",
	 .summary = "run a one-off command where and as the live release runs",
	 .details = "In the release's directory, as its user, with its variables; not inside a running instance. The "
		    "release's files cannot be changed. The exit code is the command's. It is written to the audit "
		    "log.",
	 .examples = "  davit exec prod -- bin/migrate --dry-run\n"
		     "  davit exec prod/worker -- /bin/sh",
	 .json = "nothing of its own: the output is the command's; only errors of davit are davit.v1/error",
	 .args_min = 2,
	 .args_max = CLI_ARGS_MAX,
	 .run = verb_exec},
	{.name = "audit",
	 .arguments = "",
	 .summary = "everything that was done: who, when, why, on which evidence",
	 .details = "Every entry carries the digest of the one before it. With --verify the whole chain is walked, and a "
		    "changed or missing entry is named.",
	 .examples = "  davit audit -n 20\n"
		     "  davit audit --verify",
	 .json = "davit.v1/audit: entries, newest first; davit.v1/audit-verify: whole, entries, head",
	 .options = {{"verify", 0, NULL, "is the log whole? Exit 1 when it is not"},
		     {"limit", 'n', "N", "the last N entries (default 200)"}},
	 .run = verb_audit},
	{.name = "backup",
	 .place = CLI_RUNS_THERE,
	 .arguments = "FILE",
	 .summary = "the store and the files of all releases, in one archive",
	 .details = "Beside a running server, which is not held up, or without one. FILE gets its name when it is whole and on "
		    "disk; only its owner may read it. The copy has been checked, its audit chain too. Not in it are keys, the "
		    "server's own file, logs, and persist/, which is the application's (docs/how-to/backup.md). With --host ssh://HOST it is made there and written here; FILE - is standard output.",
	 .examples = "  davit backup /backups/davit-$(date +%F).tar.zst",
	 .json = "davit.v1/backup: file, artifacts, audit_entries, audit_head, store_version, bytes; with --host file, bytes (of the archive)",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"force", 0, NULL, "replace FILE"}}},
	{.name = "restore",
	 .place = CLI_RUNS_THERE,
	 .arguments = "FILE",
	 .summary = "the state of a backup, with the server stopped",
	 .details = "Everything is checked before anything is changed: every digest, and the audit chain. A crash leaves the old "
		    "state or the new one. Instances may go on running: the next server makes of them what the backup says. With --host ssh://HOST "
		    "FILE of this machine is restored there; FILE - is standard input.",
	 .examples = "  davit restore /backups/davit-2026-11-26.tar.zst\n"
		     "  davit restore --force backup.tar.zst   # the old state is moved aside",
	 .json = "davit.v1/restore: state, created_unix_ms, artifacts, audit_entries, old",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"force", 0, NULL, "although there is a state: it is moved aside"}}},
	{.name = "validate",
	 .place = CLI_NO_SERVER,
	 .arguments = "[FILE]",
	 .summary = "check a davit.yaml; every error with its line",
	 .details = "Without FILE: davit.yaml. Needs no server and changes nothing.",
	 .examples = "  davit validate\n"
		     "  davit validate deploy/davit.yaml",
	 .json = "davit.v1/validate: file, valid, app, environments, idle_checks; davit.v1/error: errors",
	 .args_max = 1,
	 .run = verb_validate},
	{.name = "scan",
	 .place = CLI_NO_SERVER,
	 .arguments = "check|convert FILE [FILE...]",
	 .summary = "what security scanners found, against what was known",
	 .details = "check reads SARIF 2.1.0 reports, tells which findings are new since the baseline, and blocks (exit 14) "
		    "where a new one is high or critical. A report that is missing, malformed or of a scan that failed is an "
		    "error (exit 2), never a pass. A waivers.yaml in this directory lets findings through until a stated day.\n"
		    "convert writes the reports of cppcheck (--xml), bandit (-f json), shellcheck (-f json1) and npm audit "
		    "(--json) as SARIF on standard output. --from sarif makes one report of several: a baseline for the "
		    "next check. FILE may be -, standard input.\n"
		    "Findings are known again by the scanner's fingerprint, else by the lines of the tree around them, "
		    "else by their message; so moved lines are not new.",
	 .examples = "  davit scan check flawfinder.sarif --against baseline.sarif\n"
		     "  davit scan convert --from cppcheck cppcheck.xml > cppcheck.sarif\n"
		     "  davit scan convert --from sarif *.sarif > baseline.sarif",
	 .json = "davit.v1/scan: verdict, sentence, counts, findings, fixed, waivers; convert: SARIF, as without",
	 .args_min = 2,
	 .args_max = CLI_ARGS_MAX,
	 .options = {{"against", 0, "FILE", "the baseline, SARIF; without it every finding is new"},
		     {"block-at", 0, "SEVERITY", "low, medium, high (the default), critical or none"},
		     {"at-most", 0, "CAPS", "also block on sums, as critical=0,high=10"},
		     {"waivers", 0, "FILE", "instead of waivers.yaml, which may be missing"},
		     {"source", 0, "DIR", "the tree that was scanned (default: this directory)"},
		     {"all", 0, NULL, "show every finding, not only new ones"},
		     {"from", 0, "TOOL", "of convert: cppcheck, bandit, shellcheck, npm-audit or sarif"}},
	 .run = verb_scan},
	{.name = "schema",
	 .place = CLI_NO_SERVER,
	 .arguments = "",
	 .summary = "the JSON Schema of davit.yaml, for editors",
	 .details = "For example with the YAML language server, which completes and checks while you type.",
	 .examples = "  davit schema > davit.schema.json",
	 .json = "the same: it is JSON",
	 .run = verb_schema},
	{.name = "diff",
	 .arguments = "ENV..ENV",
	 .summary = "what differs between what is live in two environments",
	 .details = "The releases and since when they are live, whether their files are the same, and each key of the resolved "
		    "configuration that differs. Of variables and secrets only that they differ is shown, never what they are.",
	 .examples = "  davit diff staging..prod\n"
		     "  davit diff shop/staging shop/prod --json",
	 .json = "davit.v1/diff: left, right (environment, release, tag, artifact, since_unix_ms, by), files (same, different, "
		 "unknown), changes (key, left, right, hidden)",
	 .args_min = 1,
	 .args_max = 2,
	 .run = verb_diff},
	{.name = "guide",
	 .place = CLI_NO_SERVER,
	 .arguments = "[FILE]",
	 .summary = "your deployment guide, made of davit.yaml",
	 .details = "Environments and what brings a release there, the workflow as a diagram (Mermaid; in HTML a drawing), each "
		    "strategy step by step, pipeline, checks, what is watched, approvals, data, the rollback in four steps, and "
		    "what to type. Without FILE: davit.yaml. Needs no server; the same file gives the same bytes.",
	 .examples = "  davit guide > DEPLOYMENT.md\n"
		     "  davit guide --html > deployment.html",
	 .json = "davit.v1/guide: app, format, text",
	 .args_max = 1,
	 .options = {{"html", 0, NULL, "one page of HTML that loads nothing"},
		     {"server", 0, "FILE", "with the server's own file: who may what, and what no commit can lower"}},
	 .run = verb_guide},
	{.name = "docs",
	 .place = CLI_NO_SERVER,
	 .arguments = "[KEY]",
	 .summary = "what a key of davit.yaml means",
	 .details = "KEY is a key's name or its path. Without one: the whole reference.",
	 .examples = "  davit docs min_healthy\n"
		     "  davit docs service.health",
	 .json = "davit.v1/docs: key, text",
	 .args_max = 1,
	 .run = verb_docs},
	{.name = "doctor",
	 .place = CLI_RUNS_THERE,
	 .arguments = "",
	 .summary = "check that this machine has what davit needs",
	 .details = "Kernel, cgroups, descriptors, state directory, disk, server, davit.yaml and the addresses in it. A "
		    "line each, with what to do about it; exit 1 when something must be done.",
	 .examples = "  davit doctor",
	 .json = "davit.v1/doctor: healthy, checks",
	 .run = verb_doctor},
	{.name = "gateway",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "run the gateway alone, on a table of your own",
	 .details = "Serves the JSON table FILE (docs/reference/gateway-table.md) without a controller. HUP reads it again; "
		    "a table with errors is refused and the last one kept.",
	 .examples = "  davit gateway --table table.json",
	 .options = {{"table", 0, "FILE", "the table; needed"}, WORKERS, ACCESS_LOG, VERBOSE}},
	{.name = "completion",
	 .arguments = "bash|zsh|fish",
	 .summary = "the script by which a shell completes davit",
	 .details = "Also: davit completion environments, davit completion versions: the names that the scripts offer, one a "
		    "line.",
	 .examples = "  davit completion bash > /etc/bash_completion.d/davit\n"
		     "  davit completion zsh > \"${fpath[1]}/_davit\"\n"
		     "  davit completion fish > ~/.config/fish/completions/davit.fish",
	 .json = "davit.v1/completion: shell, script",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_completion},
	{.name = "version",
	 .place = CLI_NO_SERVER,
	 .arguments = "",
	 .summary = "the version of this davit",
	 .details = "",
	 .examples = "  davit version --json",
	 .json = "davit.v1/version: version",
	 .run = verb_version},
	{0},
};
/* clang-format on */
