/* SPDX-License-Identifier: Apache-2.0
 * gendocs - write the pages that are made from the program's tables: man/, and some of docs/reference/.
 *
 * usage: gendocs ROOT           writes them
 *        gendocs --check ROOT   says which are not as the tables have them; exit 1 then */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/man.h"
#include "config/config.h"

enum { PATH_SIZE = 4096 };

static const char *root;
static bool checks;
static int wrong;

static bool is_as(const char *path, const struct buf *text)
{
	static char have[MAN_PAGE_MAX + 1];
	FILE *file = fopen(path, "r");
	size_t size = file ? fread(have, 1, sizeof have, file) : 0;
	if (file)
		fclose(file);
	return file && size == text->size && memcmp(have, text->data, size) == 0;
}

static void page(const char *name, struct buf *text)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof path, "%s/%s", root, name);
	if (is_as(path, text)) {
		/* As it should be. */
	} else if (checks) {
		fprintf(stderr, "%s is not what the program's tables say: run \"make docs\".\n",
			name);
		wrong++;
	} else {
		FILE *file = fopen(path, "w");
		bool written = file && fwrite(text->data, 1, text->size, file) == text->size;
		if ((file && fclose(file) != 0) || !written) {
			fprintf(stderr, "%s cannot be written: %s.\n", path, strerror(errno));
			wrong++;
		}
	}
	buf_done(text);
	buf_init(text, MAN_PAGE_MAX);
}

/* Meson wants to be told each page that it installs. */
static void list_pages(struct buf *to)
{
	buf_puts(to, "# SPDX-License-Identifier: Apache-2.0\n"
		     "# Made by tools/gendocs, as the pages are.\ninstall_man('davit.1', "
		     "'davit.yaml.5'");
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		buf_printf(to, ",\n  'davit-%s.1'", c->name);
	buf_puts(to, ")\n");
}

int main(int argc, char **argv)
{
	char name[PATH_SIZE];
	struct buf text;
	checks = argc == 3 && strcmp(argv[1], "--check") == 0;
	if (argc != (checks ? 3 : 2)) {
		fputs("usage: gendocs [--check] ROOT\n", stderr);
		return 2;
	}
	root = argv[argc - 1];
	snprintf(name, sizeof name, "%s/man", root);
	if (!checks && mkdir(name, 0755) != 0 && errno != EEXIST) {
		fprintf(stderr, "%s cannot be made: %s.\n", name, strerror(errno));
		return 1;
	}
	buf_init(&text, MAN_PAGE_MAX);
	man_davit(&text);
	page("man/davit.1", &text);
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		man_command(c, &text);
		snprintf(name, sizeof name, "man/davit-%s.1", c->name);
		page(name, &text);
	}
	man_config(&text);
	page("man/davit.yaml.5", &text);
	list_pages(&text);
	page("man/meson.build", &text);
	reference_cli(&text);
	page("docs/reference/cli.md", &text);
	reference_exits(&text);
	page("docs/reference/exit-codes.md", &text);
	config_reference(&text);
	page("docs/reference/config.md", &text);
	buf_done(&text);
	return wrong > 0 ? 1 : 0;
}
