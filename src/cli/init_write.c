/* SPDX-License-Identifier: Apache-2.0
 * init_write - see init_write.h for the contract. */
#include "cli/init_write.h"

#include <string.h>

static void put_quoted(struct buf *to, const char *text)
{
	buf_puts(to, "'");
	for (; *text; text++)
		buf_append(to, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
	buf_puts(to, "'");
}

/* --- stages */

/* What the stages after it need: of compile's work, and what is deployed. */
static void put_outputs(const struct survey_pipeline *p, struct buf *to)
{
	const char *outputs = p->outputs;
	size_t first = strcspn(outputs, "/") + 1;
	bool within = strcmp(outputs, ".") == 0 || strcmp(outputs, p->archive) == 0 ||
		      (outputs[0] && strncmp(p->archive, outputs, first) == 0);
	bool apart = strcmp(p->archive, ".") != 0 && !within;
	if (!outputs[0] && !apart)
		return;
	buf_printf(to, "    outputs: [%s", outputs);
	if (apart)
		buf_printf(to, "%s'%s'", outputs[0] ? ", " : "", p->archive);
	buf_puts(to, "]\n");
}

static void put_compile(const struct survey_pipeline *p, struct buf *to)
{
	buf_puts(to, "  compile:\n    run: ");
	put_quoted(to, p->compile);
	buf_puts(to, "\n");
	if (p->variable)
		buf_printf(to, "    env: { %s }\n", p->variable);
	if (p->network)
		buf_puts(to, "    network: true # it fetches what the repository names; nothing "
			     "else may\n");
	if (p->cache_paths)
		buf_printf(to, "    cache: { key: [%s], paths: [%s] }\n", p->cache_key,
			   p->cache_paths);
	put_outputs(p, to);
}

static void put_check(const struct survey_pipeline *p, const struct survey_stage *stage,
		      struct buf *to)
{
	const char *off = stage->why[0] ? "# " : "";
	if (stage->why[0])
		buf_printf(to, "  # %s is off: %s.\n", stage->name, stage->why);
	buf_printf(to, "  %s%s:\n  %s  run: ", off, stage->name, off);
	put_quoted(to, stage->run);
	buf_puts(to, "\n");
	if (p->compile[0] && !stage->alone)
		buf_printf(to, "  %s  needs: [compile]\n", off);
	if (p->variable && !stage->alone)
		buf_printf(to, "  %s  env: { %s }\n", off, p->variable);
	if (stage->network)
		buf_printf(to, "  %s  network: true\n", off);
	if (stage->report) {
		buf_printf(to, "  %s  sarif: %s\n", off, stage->report);
		if (stage->why[0])
			buf_printf(to, "  %s  baseline: baseline.sarif\n", off);
		buf_printf(to, "  %s  block_at: high # what is new and as bad as this\n", off);
	}
}

/* All that says yes or no; where there is nothing of that, what is made has to be there. */
static void put_package(const struct survey_pipeline *p, struct buf *to)
{
	bool any = false;
	buf_printf(to, "  package:\n    archive: ['%s'%s]\n", p->archive, p->assets);
	for (uint32_t i = 0; i < p->check_count; i++) {
		if (p->checks[i].why[0])
			continue;
		buf_printf(to, "%s%s", any ? ", " : "    needs: [", p->checks[i].name);
		any = true;
	}
	bool compiled = false;
	for (uint32_t i = 0; i < p->check_count; i++)
		compiled = compiled || (!p->checks[i].why[0] && !p->checks[i].alone);
	if (p->compile[0] && !compiled) {
		buf_printf(to, "%scompile", any ? ", " : "    needs: [");
		any = true;
	}
	buf_puts(to, any ? "]\n\n" : "\n");
}

static void put_pipeline(const struct survey_pipeline *p, struct buf *to)
{
	if (!p->archive[0])
		return;
	buf_puts(to,
		 "# From a commit to what is deployed. Each stage runs in a sandbox, in a clean "
		 "copy of the commit:\n"
		 "# davit build --local\n"
		 "pipeline:\n");
	if (p->compile[0])
		put_compile(p, to);
	for (uint32_t i = 0; i < p->check_count; i++)
		put_check(p, &p->checks[i], to);
	put_package(p, to);
}

/* --- what runs, and where */

static void put_service(const struct survey *s, struct buf *to)
{
	buf_puts(to, "service:\n");
	if (!s->sure)
		buf_puts(to, "  # A guess: how the program is started. Please check it.\n");
	buf_puts(to, "  # It stays in the foreground and listens on 127.0.0.1:$PORT; davit chooses "
		     "the port and says\n"
		     "  # it in the variable PORT as well.\n");
	if (s->build[0])
		buf_printf(to, "  # Build before you deploy a directory: %s\n", s->build);
	if (strcmp(s->kind, "docker") == 0)
		buf_puts(to, "  # davit runs the program itself, as the Dockerfile's CMD does, not "
			     "the container.\n");
	buf_puts(to, "  run: ");
	put_quoted(to, s->run);
	buf_puts(to, "\n  instances: 2\n"
		     "  # A path that answers 200 once the program can take requests. Without one, "
		     "write { tcp: true }.\n"
		     "  health: { path: /, interval: 1s, deadline: 60s }\n"
		     "  # What requests under way may take when an instance ends.\n"
		     "  drain: { requests: 30s }\n\n"
		     "# A new release is judged by its own answers while few users see it, and "
		     "goes back by itself.\n"
		     "analysis:\n"
		     "  errors: { max: 2%, at_least: 50 requests }\n\n");
}

static void put_environments(const struct survey *s, bool gated, struct buf *to)
{
	const char *off = gated ? "" : "# ";
	buf_printf(to,
		   "# What is pushed to a branch is built and comes to the environment that it "
		   "triggers; see: davit remote\n"
		   "environments:\n"
		   "  dev:\n"
		   "    listen: 127.0.0.1:8081\n"
		   "    trigger: { branch: develop }\n"
		   "    strategy: recreate # stop the old one, start the new one\n"
		   "  staging:\n"
		   "    listen: 127.0.0.1:8082\n"
		   "    trigger: { branch: %s }\n"
		   "    strategy: blue-green # all at once, and back at once\n"
		   "  prod:\n"
		   "    listen: 0.0.0.0:8080\n"
		   "    strategy: canary # 1 %%, 10 %%, 50 %%, then everybody; see: davit docs "
		   "strategy\n",
		   s->branch);
	if (gated)
		buf_puts(to, "    # Only what was good in staging, and somebody other than its "
			     "authors has said yes to.\n");
	else
		buf_puts(to,
			 "    # With these two, prod takes only what was good in staging, and "
			 "somebody other than its authors has\n"
			 "    # said yes to (davit approve prod). Until then, davit deploy prod "
			 "PATH is enough.\n");
	buf_printf(to, "    %sfrom: staging\n    %sapprove: { count: 1 }\n", off, off);
}

void init_write(const struct survey *s, bool gated, struct buf *to)
{
	buf_puts(to, "# What davit needs to know to put this application live. Every key: davit "
		     "docs KEY\n"
		     "# Check this file:  davit validate\n");
	buf_printf(to, "app: %s\n\n", s->app);
	put_pipeline(&s->pipeline, to);
	put_service(s, to);
	put_environments(s, gated, to);
}
