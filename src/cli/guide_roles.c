/* SPDX-License-Identifier: Apache-2.0
 * guide_roles - who may what, and what no commit can lower: the server's own file in the guide. See guide.h. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/config_file.h"
#include "cli/guide.h"
#include "cli/guide_words.h"
#include "config/server.h"

enum { KEY_SIZE = 160, CELLS = 6 };

int guide_server(const char *path, struct server **ret_server, struct error *err)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct buf text;
	buf_init(&text, CONFIG_FILE_MAX);
	int result = config_file_read(path, &text, err);
	if (result == 0 &&
	    (result = server_load(buf_text(&text), text.size, path, ret_server, errors)) < 0)
		error_set(err, ERR_INVALID, "%s: %s", errors->items[0].where,
			  errors->items[0].text);
	buf_done(&text);
	free(errors);
	return result;
}

static const char *key_of(const struct guide *g, uint32_t index, char to[KEY_SIZE])
{
	snprintf(to, KEY_SIZE, "%s/%s", g->app->name, g->app->environments[index].name);
	return to;
}

static void put_floor(struct buf *to, const struct server_protected *floor)
{
	if (floor->verify.count > 0) {
		buf_puts(to, "verify: ");
		guide_put_list(to, &floor->verify, "");
	}
	if (floor->analysis.count > 0) {
		buf_puts(to, to->size > 0 ? "; analysis: " : "analysis: ");
		guide_put_list(to, &floor->analysis, "");
	}
	if (floor->from)
		buf_printf(to, "%sfrom: %s", to->size > 0 ? "; " : "", floor->from);
	if (floor->approve.set != 0) {
		buf_printf(to, "%sapproved by %u of ", to->size > 0 ? "; " : "",
			   floor->approve.count);
		guide_put_list(to, &floor->approve.by, "whoever may command the server");
	}
}

static void write_row(const struct guide *g, struct writer *w, uint32_t index)
{
	char key[KEY_SIZE], names[SERVER_ROLE_COUNT][SERVER_ROLE_WORDS];
	struct writer_cell cells[CELLS] = {{.text = g->app->environments[index].name}};
	const struct server_protected *floor = server_floor_of(g->server, key_of(g, index, key));
	struct buf asks;
	buf_init(&asks, GUIDE_TEXT_MAX);
	for (uint32_t role = 0; role < SERVER_ROLE_COUNT; role++) {
		server_role_names(g->server, key, (enum server_role)role, names[role]);
		cells[1 + role].text = names[role][0] ? names[role] : "whoever runs the server";
	}
	if (floor)
		put_floor(&asks, floor);
	cells[CELLS - 1].text = asks.size > 0 ? buf_text(&asks) : "-";
	w->ops->row(w, cells, CELLS);
	buf_done(&asks);
}

void guide_write_roles(const struct guide *g, struct writer *w)
{
	static const char *const titles[CELLS] = {"environment", "deploy",
						  "go back",     "freeze",
						  "lift a mark", "what a commit cannot lower"};
	struct buf text;
	if (!g->server)
		return;
	w->ops->heading(w, 1, "Who may what");
	w->ops->table(w, "", titles, CELLS);
	for (uint32_t i = 0; i < g->app->environment_count; i++)
		write_row(g, w, i);
	w->ops->table_end(w);
	w->ops->paragraph(w,
			  "So says the server's own file. Whoever runs the server may everything, "
			  "and the audit log says where he did what is others' to do.");
	buf_init(&text, GUIDE_TEXT_MAX);
	for (uint32_t i = 0; i < g->server->group_count; i++) {
		buf_printf(&text, "%s: ", g->server->groups[i].name);
		guide_put_list(&text, &g->server->groups[i].items, "nobody");
		w->ops->item(w, buf_text(&text));
		buf_clear(&text);
	}
	buf_done(&text);
}
