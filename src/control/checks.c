/* SPDX-License-Identifier: Apache-2.0
 * checks - see checks.h for the contract. */
#include "control/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/command.h"
#include "control/environment.h"
#include "provider/artifact.h"

enum { TIMEOUT_DEFAULT_MS = 10000, BLOCK_AT_DEFAULT = 2 /* high */, RELEASE_MARK = 1 };

static uint32_t count_checks(const struct plan *plan, uint32_t from, uint32_t until)
{
	uint32_t count = 0;
	for (uint32_t i = from; i < until; i++)
		count +=
			plan->steps[i].op == PLAN_HOLD && plan->steps[i].analyses & ANALYSIS_CHECKS;
	return count;
}

/* The plan has one HOLD for each `check` step of the strategy, in the same order, and then one for each of `verify`. */
static const char *check_name(const struct active_rollout *r, uint32_t step)
{
	const struct app_environment *config = &r->candidate.config->environment;
	const struct app_strategy *strategy = &config->strategy;
	uint32_t before = count_checks(&r->plan, 0, step),
		 left = count_checks(&r->plan, step, r->plan.step_count);
	if (left <= config->verify.count)
		return config->verify.items[config->verify.count - left];
	for (uint32_t i = 0; i < strategy->count; i++)
		if (strategy->steps[i].set & APP_STEP_CHECK && before-- == 0)
			return strategy->steps[i].check;
	return NULL;
}

/* The process that answers for "/", or for the path nearest to it. */
static const char *front_process(const struct app_environment *env)
{
	const struct app_route *best = NULL;
	for (uint32_t i = 0; i < env->route_count; i++)
		if (!best || strlen(env->routes[i].path) < strlen(best->path))
			best = &env->routes[i];
	return best ? best->to : NULL;
}

static bool find_address(const struct environment *e, struct check_request *request)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct active_rollout *r = e->active;
	const char *front = front_process(&r->candidate.config->environment);
	const struct instance_status *list, *found = NULL;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++) {
		const struct instance_status *s = &list[i];
		if (!instance_of(e, s) || strcmp(s->release, r->candidate.hex) != 0 ||
		    s->state != INSTANCE_READY || !s->address[0])
			continue;
		if (!found || (front && strcmp(s->process, front) == 0))
			found = s;
	}
	if (!found)
		return false;
	const struct app_process *process = release_process(r->candidate.config, found->process);
	text_copy(request->address, sizeof request->address, found->address);
	request->http2 = process && process->speaks == APP_SPEAKS_HTTP2;
	return true;
}

/* Where the files of the release are is known when the command runs: the shell puts it there. */
static void put_word(struct buf *line, const char *word)
{
	char *copy = mem_copy_text(word), *part = copy;
	for (char *mark; (mark = strchr(part, RELEASE_MARK)); part = mark + 1) {
		*mark = '\0';
		if (part[0])
			buf_put_shell_word(line, part);
		buf_puts(line, "\"$RELEASE\"");
	}
	if (part[0] || part == copy)
		buf_put_shell_word(line, part);
	free(copy);
}

static int fill_command(const struct app_command *run, const struct check_request *request,
			char *to, size_t size, struct error *err)
{
	char url[sizeof request->address + 8];
	char mark[] = {RELEASE_MARK, '\0'};
	struct app_variable variables[] = {
		{"URL", url}, {"PREVIEW", request->preview}, {"RELEASE", mark}};
	struct command_argv words = {0};
	struct buf line;
	snprintf(url, sizeof url, "http://%s", request->address);
	buf_init(&line, 2 * size);
	int result = 0;
	if (run->sh)
		buf_puts(&line, run->sh);
	else
		result = command_expand(run, variables, 3, &words, err);
	for (uint32_t i = 0; i < words.count; i++) {
		buf_puts(&line, i > 0 ? " " : "");
		put_word(&line, words.items[i]);
	}
	command_argv_done(&words);
	if (result == 0 && !text_copy(to, size, buf_text(&line)))
		result = error_set(err, ERR_LIMIT,
				   "The command of a check is longer than %zu bytes: put it into a "
				   "script of the release.",
				   size - 1);
	buf_done(&line);
	return result;
}

static void fill_secrets(const struct app_probe *probe, struct check *check)
{
	check->secret_count = probe->secret_count;
	for (uint32_t i = 0; i < probe->secret_count; i++) {
		const struct app_secret *from = &probe->secrets[i];
		struct check_secret *to = &check->secrets[i];
		text_copy(to->name, sizeof to->name, from->name);
		text_copy(to->from, sizeof to->from, from->from);
		to->file = from->as == APP_SECRET_FILE;
		to->pinned = from->version == APP_SECRET_PINNED;
	}
}

static void fill_conditions(const struct app_condition *from, uint32_t count, bool json,
			    struct check *check)
{
	for (uint32_t i = 0; i < count; i++) {
		struct check_condition *to = &check->conditions[check->condition_count++];
		to->json = json;
		text_copy(to->name, sizeof to->name, from[i].name);
		text_copy(to->value, sizeof to->value, from[i].value);
	}
}

static uint32_t count_scans(const struct check_request *request, const char *name)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < request->count; i++)
		count += request->checks[i].sarif[0] && strcmp(request->checks[i].name, name) == 0;
	return count;
}

static int add_probe(const char *name, const struct app_probe *probe, struct check_request *request,
		     struct error *err)
{
	if (request->count == CHECK_MAX)
		return error_set(err, ERR_LIMIT, "A check has more than %d probes.", CHECK_MAX);
	uint32_t scans = count_scans(request, name);
	struct check *check = &request->checks[request->count++];
	*check = (struct check){
		.scan = scans,
		.timeout_ms = probe->timeout_ms ? probe->timeout_ms : TIMEOUT_DEFAULT_MS,
		.within_ms = probe->within_ms,
		.expect_status = probe->expect,
		.block_at = probe->set & APP_PROBE_BLOCK_AT ? probe->block_at : BLOCK_AT_DEFAULT};
	text_copy(check->name, sizeof check->name, name);
	if (!text_copy(check->sarif, sizeof check->sarif, probe->sarif ? probe->sarif : "") ||
	    !text_copy(check->baseline, sizeof check->baseline,
		       probe->baseline ? probe->baseline : ""))
		return error_set(err, ERR_LIMIT, "A file's name in a check is too long.");
	if (!probe->get) {
		fill_secrets(probe, check);
		return fill_command(&probe->run, request, check->command, sizeof check->command,
				    err);
	}
	fill_conditions(probe->headers, probe->header_count, false, check);
	fill_conditions(probe->values, probe->value_count, true, check);
	if (text_copy(check->path, sizeof check->path, probe->get) &&
	    text_copy(check->contains, sizeof check->contains,
		      probe->contains ? probe->contains : ""))
		return 0;
	return error_set(err, ERR_LIMIT, "A path or text of a check is longer than %d bytes.",
			 CHECK_TEXT_SIZE - 1);
}

/* A hostile commit has no more of the machine by its checks than by its processes. */
static void fill_bounds(const struct release_info *candidate, struct check_bounds *to)
{
	const struct app_process *process = release_command_process(candidate);
	text_copy(to->user, sizeof to->user, process->user ? process->user : "");
	to->memory_bytes = process->limits.memory_bytes;
	to->cpu_milli = process->limits.cpu_milli;
	to->files = process->limits.files;
}

static int fill_place(const struct environment *e, struct check_request *request, struct error *err)
{
	const struct release_info *candidate = &e->active->candidate;
	const struct app_environment *env = &candidate->config->environment;
	struct artifact_store *artifacts = e->control->parts.artifacts;
	struct digest digest;
	if (!find_address(e, request))
		return error_set(err, ERR_RETRY, "No instance of %s is ready.", candidate->tag);
	if (env->route_count > 0 && env->routes[0].host)
		text_copy(request->host, sizeof request->host, env->routes[0].host);
	text_copy(request->preview, ROUTING_PREVIEW_SIZE, candidate->hex);
	fill_bounds(candidate, &request->bounds);
	ASSERT(digest_parse(candidate->artifact, &digest));
	return artifacts->ops->path(artifacts, &digest, request->directory,
				    sizeof request->directory, err);
}

int checks_request(const struct environment *e, uint32_t step, struct check_request *request,
		   struct error *err)
{
	const struct resolved *config = e->active->candidate.config;
	const char *name = check_name(e->active, step);
	memset(request, 0, sizeof *request);
	int result = fill_place(e, request, err);
	for (uint32_t c = 0; c < config->check_count; c++) {
		const struct app_check *check = &config->checks[c];
		if (name && strcmp(check->name, name) != 0)
			continue;
		for (uint32_t p = 0; p < check->count && result == 0; p++)
			result = add_probe(check->name, &check->probes[p], request, err);
	}
	return result;
}
