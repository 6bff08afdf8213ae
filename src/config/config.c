/* SPDX-License-Identifier: Apache-2.0
 * config - see config.h for the contract. The tables do the work; here is its order. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/idle.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/schema.h"
#include "config/yaml.h"

/* "file:line:column" of an error, as numbers. */
static void place_of(const struct error *err, unsigned long *line, unsigned long *column)
{
	const char *last = strrchr(err->where, ':'), *first = last;
	while (first > err->where && first[-1] != ':')
		first--;
	*line = strtoul(first, NULL, 10);
	*column = strtoul(last + 1, NULL, 10);
}

static int compare(const void *a, const void *b)
{
	unsigned long la, ca, lb, cb;
	place_of(a, &la, &ca);
	place_of(b, &lb, &cb);
	if (la != lb)
		return la < lb ? -1 : 1;
	return (ca > cb) - (ca < cb);
}

int config_load(const char *text, size_t size, const char *file, struct app **ret_app,
		struct config_errors *errors)
{
	struct yaml *tree;
	struct reader reader;
	reader_init(&reader, file, errors);
	int status = yaml_parse(text, size, file, &tree, &errors->items[0]);
	if (status < 0) {
		errors->count = 1;
		return status;
	}
	struct app *app = mem_zero(1, sizeof *app);
	app->memory = tree;
	reader_section(&reader, &schema_app, tree->root, app);
	if (errors->count == 0)
		check_app(&reader, tree->root, app);
	if (errors->count == 0)
		check_idle(&reader, tree->root, app);
	if (errors->count > 0) {
		qsort(errors->items, errors->count, sizeof errors->items[0], compare);
		config_free(app);
		return ERR_INVALID;
	}
	*ret_app = app;
	return 0;
}

void config_free(struct app *app)
{
	if (!app)
		return;
	yaml_free(app->memory);
	free(app);
}

void config_stage(const struct app *app, uint32_t index, struct app_stage *ret_stage)
{
	*ret_stage = app->stages[index];
	schema_defaults(&schema_stage, ret_stage);
}
