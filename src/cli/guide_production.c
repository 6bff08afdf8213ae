/* SPDX-License-Identifier: Apache-2.0
 * guide_production - the guide's sections on production, on tags and on secrets: see guide.h. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/guide.h"
#include "cli/guide_words.h"

enum { SECRET_CELLS = 5, PRODUCTION_CELLS = 2, KEY_SIZE = 160 };

static const struct app_environment *environment(const struct guide *g, uint32_t index)
{
	return &g->environments[index]->environment;
}

static const char *name_of(const struct guide *g, uint32_t index)
{
	return g->app->environments[index].name;
}

/* ── production ───────────────────────────────────────────────────────────────────────────────────────── */

static void put_row(struct writer *w, const char *what, struct buf *text)
{
	struct writer_cell cells[PRODUCTION_CELLS] = {{.text = what}, {.text = buf_text(text)}};
	if (text->size > 0)
		w->ops->row(w, cells, PRODUCTION_CELLS);
	buf_clear(text);
}

/* What stands between a release and the users of one environment. */
static void write_guards(const struct guide *g, struct writer *w, uint32_t index)
{
	static const char *const titles[PRODUCTION_CELLS] = {"what stands before it", "how"};
	const struct app_environment *e = environment(g, index);
	char key[KEY_SIZE];
	struct buf text;
	buf_init(&text, GUIDE_TEXT_MAX);
	w->ops->table(w, "", titles, PRODUCTION_CELLS);
	if (e->from)
		buf_printf(&text, "the same artifact was good in %s", e->from);
	if (e->from && e->soak_ms > 0) {
		buf_puts(&text, " for ");
		guide_put_duration(&text, e->soak_ms);
	}
	put_row(w, "an environment before it", &text);
	guide_put_approval(&text, e);
	put_row(w, "people", &text);
	if (e->windows.set != 0)
		buf_printf(&text, "%s %s, %s", e->windows.days ? e->windows.days : "every day",
			   e->windows.hours ? e->windows.hours : "all day", e->windows.zone);
	put_row(w, "times", &text);
	guide_put_list(&text, &e->verify, "");
	put_row(w, "checks once it is out", &text);
	guide_put_strategy(&text, &e->strategy);
	put_row(w, "how much at a time", &text);
	snprintf(key, sizeof key, "%s/%s", g->app->name, name_of(g, index));
	if (g->server && server_floor_of(g->server, key))
		buf_puts(&text, "see \"Who may what\": no commit lowers it");
	put_row(w, "the server's own file", &text);
	buf_printf(&text, "davit freeze %s --until TIME -m WHY", name_of(g, index));
	put_row(w, "a stop by hand", &text);
	w->ops->table_end(w);
	buf_done(&text);
}

void guide_write_production(const struct guide *g, struct writer *w)
{
	bool any = false;
	for (uint32_t i = 0; i < g->app->environment_count; i++) {
		if (!environment(g, i)->production)
			continue;
		if (!any)
			w->ops->heading(w, 1, "Production");
		any = true;
		w->ops->heading(w, 2, name_of(g, i));
		write_guards(g, w, i);
	}
	if (any)
		w->ops->paragraph(w, "Deployments of these are what davit dora counts.");
}

/* ── tags ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* Which tags bring a release to this environment: by its own trigger, and where `demanded` by the server's own file. */
static void put_tags(struct buf *to, const struct app_environment *e, const char *name,
		     bool demanded)
{
	static const char SIGNED[] = "signed by one of the server's allowed signers (git tag -s)";
	if (e->trigger.tag.count > 0) {
		buf_puts(to, "A tag ");
		guide_put_list(to, &e->trigger.tag, "");
		buf_printf(to, " brings the commit to %s, and names its release", name);
		if (demanded || e->trigger.signed_only)
			buf_printf(to, "; it has to be %s", SIGNED);
		buf_puts(to, ".");
	} else if (demanded) {
		buf_printf(to,
			   "Nothing is brought to %s by itself but by a tag that is %s, and its "
			   "trigger names no tag.",
			   name, SIGNED);
	}
	if (demanded)
		buf_puts(to,
			 " The server's own file asks for that: a branch brings nothing there.");
}

static void put_made(struct buf *to, const struct app_environment *e, const char *name)
{
	if (e->tag)
		buf_printf(to,
			   "What has succeeded in %s is tagged in git, as its release is called "
			   "(annotated; one that is there is never moved).",
			   name);
}

static void put_item(struct writer *w, struct buf *text)
{
	if (text->size > 0)
		w->ops->item(w, buf_text(text));
	buf_clear(text);
}

static void write_pushes(const struct guide *g, struct writer *w)
{
	const struct server_source *source = server_source_of(g->server, g->app->name);
	if (source && source->push_tags)
		w->ops->item(w, "Tags that davit makes are pushed to the repository that the "
				"server looks at.");
}

void guide_write_tags(const struct guide *g, struct writer *w)
{
	char names[SERVER_NAMES_SIZE];
	const char *demanded = server_signed(g->server, g->app->name, names);
	bool any = false, made = false;
	struct buf text;
	for (uint32_t i = 0; i < g->app->environment_count; i++)
		any |= environment(g, i)->tag || environment(g, i)->trigger.tag.count > 0 ||
		       text_is_among(demanded, name_of(g, i));
	if (!any)
		return;
	buf_init(&text, GUIDE_TEXT_MAX);
	w->ops->heading(w, 1, "Tags");
	for (uint32_t i = 0; i < g->app->environment_count; i++) {
		const struct app_environment *e = environment(g, i);
		put_tags(&text, e, name_of(g, i), text_is_among(demanded, name_of(g, i)));
		put_item(w, &text);
		put_made(&text, e, name_of(g, i));
		put_item(w, &text);
		made |= e->tag;
	}
	if (made)
		write_pushes(g, w);
	buf_done(&text);
}

/* ── secrets ──────────────────────────────────────────────────────────────────────────────────────────── */

static void write_secret(struct writer *w, const char *where, const char *who,
			 const struct app_secret *s)
{
	const struct writer_cell cells[SECRET_CELLS] = {
		{.text = s->from},
		{.text = where},
		{.text = who},
		{.text = s->as == APP_SECRET_FILE ? "a file, whose path is in it" : "its value"},
		{.text = s->version == APP_SECRET_PINNED ? "the one it went out with"
							 : "the newest"}};
	w->ops->row(w, cells, SECRET_CELLS);
}

static uint32_t write_environment_secrets(const struct guide *g, struct writer *w, uint32_t index)
{
	const struct app_environment *e = environment(g, index);
	const struct resolved *r = g->environments[index];
	struct buf who;
	uint32_t count = 0;
	buf_init(&who, GUIDE_TEXT_MAX);
	for (uint32_t p = 0; p < e->process_count; p++)
		for (uint32_t i = 0; i < e->processes[p].secret_count; i++, count++) {
			const struct app_secret *s = &e->processes[p].secrets[i];
			buf_printf(&who, "%s, as %s", e->processes[p].name, s->name);
			if (w)
				write_secret(w, name_of(g, index), buf_text(&who), s);
			buf_clear(&who);
		}
	for (uint32_t c = 0; c < r->check_count; c++)
		for (uint32_t p = 0; p < r->checks[c].count; p++)
			for (uint32_t i = 0; i < r->checks[c].probes[p].secret_count;
			     i++, count++) {
				const struct app_secret *s = &r->checks[c].probes[p].secrets[i];
				buf_printf(&who, "the check %s, as %s", r->checks[c].name, s->name);
				if (w)
					write_secret(w, name_of(g, index), buf_text(&who), s);
				buf_clear(&who);
			}
	buf_done(&who);
	return count;
}

static uint32_t write_stage_secrets(const struct guide *g, struct writer *w)
{
	struct buf who;
	uint32_t count = 0;
	buf_init(&who, GUIDE_TEXT_MAX);
	for (uint32_t k = 0; k < g->app->stage_count; k++) {
		const struct app_env *secrets = &g->app->stages[k].secrets;
		for (uint32_t i = 0; i < secrets->count; i++, count++) {
			const struct app_secret s = {.name = secrets->items[i].name,
						     .from = secrets->items[i].value};
			buf_printf(&who, "the stage %s, as %s", g->app->stages[k].name, s.name);
			if (w)
				write_secret(w, "builds", buf_text(&who), &s);
			buf_clear(&who);
		}
	}
	buf_done(&who);
	return count;
}

void guide_write_secrets(const struct guide *g, struct writer *w)
{
	static const char *const titles[SECRET_CELLS] = {"secret", "where", "who gets it",
							 "what it is", "which version"};
	struct buf text;
	uint32_t count = write_stage_secrets(g, NULL);
	for (uint32_t i = 0; i < g->app->environment_count; i++)
		count += write_environment_secrets(g, NULL, i);
	if (count == 0)
		return;
	w->ops->heading(w, 1, "Secrets");
	w->ops->table(w, "", titles, SECRET_CELLS);
	for (uint32_t i = 0; i < g->app->environment_count; i++)
		write_environment_secrets(g, w, i);
	write_stage_secrets(g, w);
	w->ops->table_end(w);
	buf_init(&text, GUIDE_TEXT_MAX);
	buf_printf(
		&text,
		"Write one, from standard input and never as an argument: davit secrets set NAME "
		"--app %s (NAME is what follows davit: above). Nobody reads it back; see which "
		"there are with davit secrets list.",
		g->app->name);
	w->ops->item(w, buf_text(&text));
	w->ops->item(w, "Change one: davit secrets rotate sets it and starts what uses its newest "
			"version anew, part by part; what keeps its version gets the new one with "
			"the next release.");
	w->ops->item(w, "A deployment that lacks one is refused before anything begins, and says "
			"which.");
	buf_done(&text);
}
