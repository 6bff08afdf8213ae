/* SPDX-License-Identifier: Apache-2.0
 * git - see git.h for the contract. */
#include "drivers/builder/git.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/capture.h"

enum { SAID_MAX = 300, ARGS_MAX = 40, GIT_PROTOCOLS_SIZE = 64 };

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
					  "HOME=/nonexistent",
					  "LC_ALL=C",
					  "GIT_CONFIG_NOSYSTEM=1",
					  "GIT_CONFIG_GLOBAL=/dev/null",
					  "GIT_ATTR_NOSYSTEM=1",
					  "GIT_TERMINAL_PROMPT=0",
					  "GIT_OPTIONAL_LOCKS=0",
					  "GIT_NO_LAZY_FETCH=1",
					  "GIT_NO_REPLACE_OBJECTS=1",
					  NULL};

/* Before every verb. What runs programs of the repository's choice is off, whatever its own configuration says. */
static const char *const options[] = {"git", "--no-pager",
				      "-c",  "core.hooksPath=/dev/null",
				      "-c",  "core.fsmonitor=false",
				      "-c",  "submodule.recurse=false",
				      "-c",  "core.untrackedCache=false"};

int git_run(const struct git_ask *ask, const char *const *words, struct buf *out, struct error *err)
{
	const char *argv[ARGS_MAX + 1];
	char said[SAID_MAX];
	size_t count = 0;
	struct process_end end;
	struct buf errors;
	const char *variables[1 + GIT_VARIABLES_MAX + sizeof environment / sizeof environment[0]];
	char protocols[GIT_PROTOCOLS_SIZE];
	size_t more = 0;
	for (; ask->variables && ask->variables[more]; more++) {
		ASSERT(more < GIT_VARIABLES_MAX);
		variables[more] = ask->variables[more];
	}
	snprintf(protocols, sizeof protocols, "GIT_ALLOW_PROTOCOL=%s",
		 ask->protocols ? ask->protocols : "none");
	variables[more++] = protocols;
	memcpy(variables + more, environment, sizeof environment);
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		argv[count++] = options[i];
	for (size_t i = 0; words[i]; i++) {
		ASSERT(count < ARGS_MAX);
		argv[count++] = words[i];
	}
	argv[count] = NULL;
	const struct capture capture = {.argv = argv,
					.environment = variables,
					.directory = ask->directory,
					.deadline_ms = ask->deadline_ms,
					.cancelled = ask->cancelled};
	buf_init(&errors, GIT_LINE_MAX);
	int code = capture_run(&capture, out, &errors, &end, err);
	size_t size = strcspn(buf_text(&errors), "\n");
	text_escape(buf_text(&errors), size, said, sizeof said);
	buf_done(&errors);
	if (code == ERR_NOT_FOUND)
		return error_set(err, ERR_UNSUPPORTED,
				 "The command \"git\" is not installed; install it.");
	if (code < 0)
		return code;
	return end.code == 0 ? 0
			     : error_set(err, ERR_INVALID, "git cannot %s: %s.", ask->verb,
					 said[0] ? said : "it did not say why");
}

int git_line(const struct git_ask *ask, const char *const *words, char *to, size_t size,
	     struct error *err)
{
	struct buf out;
	buf_init(&out, GIT_LINE_MAX);
	int code = git_run(ask, words, &out, err);
	const char *text = buf_text(&out);
	size_t length = strcspn(text, "\n");
	if (code == 0 &&
	    (length >= size || out.overflowed || (text[length] == '\n' && length + 1 != out.size)))
		code = error_set(err, ERR_LIMIT,
				 "What git answers when asked to %s is too long or has several "
				 "lines; use a path without line breaks.",
				 ask->verb);
	if (code == 0) {
		memcpy(to, text, length);
		to[length] = '\0';
	}
	buf_done(&out);
	return code;
}
