/* SPDX-License-Identifier: Apache-2.0
 * reference - docs/reference/cli.md and docs/reference/exit-codes.md; see man.h for the contract. */
#include <stdio.h>
#include <string.h>

#include "cli/man.h"

static void put_options(struct buf *to, const struct cli_option *options)
{
	buf_puts(to, "| option | meaning |\n| --- | --- |\n");
	for (const struct cli_option *o = options; o->name; o++) {
		buf_puts(to, "| ");
		if (o->letter)
			buf_printf(to, "`-%c`, ", o->letter);
		buf_printf(to, "`--%s%s%s` | %s |\n", o->name, o->argument ? " " : "",
			   o->argument ? o->argument : "", o->help);
	}
	buf_puts(to, "\n");
}

/* "  davit init\n  davit up" without its indentation. */
static void put_examples(struct buf *to, const char *lines)
{
	buf_puts(to, "```sh\n");
	while (*lines) {
		size_t length = strcspn(lines, "\n"), skip = strspn(lines, " ");
		buf_append(to, lines + skip, length - skip);
		buf_puts(to, "\n");
		lines += length + (lines[length] == '\n');
	}
	buf_puts(to, "```\n\n");
}

static void put_command(struct buf *to, const struct cli_command *c)
{
	buf_printf(to, "## davit %s\n\n`davit %s%s%s`: %s.\n\n", c->name, c->name,
		   c->arguments[0] ? " " : "", c->arguments, c->summary);
	for (const char *p = c->details; *p;) {
		size_t length = strcspn(p, "\n");
		buf_append(to, p, length);
		buf_puts(to, "\n\n");
		p += length + (p[length] == '\n');
	}
	if (c->options[0].name)
		put_options(to, c->options);
	put_examples(to, c->examples);
	if (c->json)
		buf_printf(to, "With `--json`: %s.\n\n", c->json);
}

void reference_cli(struct buf *to)
{
	buf_puts(to, "# The command line\n\n"
		     "This page is made by `make docs` from the table of commands; `davit COMMAND "
		     "--help` says the "
		     "same.\n\n"
		     "Data is printed on standard output, messages on standard error. With "
		     "`--json` every answer is "
		     "one line of\nJSON with a `schema`, and so is an error (`davit.v1/error`); a "
		     "command that "
		     "follows something prints a line a\nchange. Fields are added, never renamed "
		     "or removed; "
		     "[api.md](api.md) says what they mean. Exit "
		     "codes:\n[exit-codes.md](exit-codes.md).\n\n"
		     "`ENV` is the name of an environment, or `APP/ENV` where two applications "
		     "have one of that "
		     "name. `ROLLOUT` is a\nnumber, or an environment: its current rollout, else "
		     "its last.\n\n"
		     "Options of every command:\n\n");
	put_options(to, cli_global_options);
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		put_command(to, c);
	while (to->size > 1 && to->data[to->size - 2] == '\n')
		to->data[--to->size] = '\0';
}

void reference_exits(struct buf *to)
{
	buf_puts(to, "# Exit codes\n\n"
		     "This page is made by `make docs` from the program's own table. A script may "
		     "rely on them.\n\n"
		     "| code | name | meaning |\n| --- | --- | --- |\n");
	for (const struct cli_exit_meaning *e = cli_exits; e->name; e++)
		buf_printf(to, "| %d | %s | %s |\n", (int)e->code, e->name, e->meaning);
	buf_puts(to, "\n`davit deploy`, `davit rollback`, `davit restart`, `davit watch` and "
		     "`davit promote --full` end "
		     "with the\nrollout's own outcome. `davit exec` ends with the code of the "
		     "command that it ran.\n");
}
