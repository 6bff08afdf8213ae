/* SPDX-License-Identifier: Apache-2.0
 * completion - see completion.h for the contract; and davit completion SHELL.
 *
 * What an argument is stands in the table already, as people read it: "ENV [VERSION|PATH]". A word in capitals
 * is a kind, one in small letters stands for itself; a word in brackets may be left out. */
#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/screen.h"
#include "cli/verbs.h"

enum { PLACES_MAX = 3, WORD_SIZE = 32, VALUE_SIZE = 160 };

/* What may stand at one place: "ENV", "VERSION PATH", "mark-bad clear ENV". */
struct place {
	char words[VALUE_SIZE];
};

static void add_words(struct place *place, const char *token, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		size_t used = strlen(place->words);
		if (used + 2 < sizeof place->words && !strchr("[]", token[i])) {
			place->words[used] = token[i] == '|' ? ' ' : token[i];
			place->words[used + 1] = '\0';
		}
	}
}

/* The places of a command's arguments; "--" and "..." end them: what follows is another program's. */
static uint32_t places_of(const struct cli_command *c, struct place places[PLACES_MAX])
{
	uint32_t count = 0;
	memset(places, 0, sizeof(struct place) * PLACES_MAX);
	for (const char *p = c->arguments; *p && count < PLACES_MAX;) {
		size_t length = strcspn(p, " ");
		if (strncmp(p, "--", 2) == 0)
			break;
		add_words(&places[count], p, length);
		/* Its place may be taken by what stands after it when it is left out. */
		if (p[0] == '[' && p[length] == ' ' && p[length + 1] == '[') {
			const char *next = p + length + 1;
			add_words(&places[count], " ", 1);
			add_words(&places[count], next, strcspn(next, " "));
		}
		count++;
		p += length;
		p += strspn(p, " ");
	}
	return count;
}

/* --- bash */

static void bash_verb(const struct cli_command *c, struct buf *to)
{
	struct place places[PLACES_MAX];
	uint32_t count = places_of(c, places);
	buf_printf(to, "\t%s)\n\t\toptions='", c->name);
	for (const struct cli_option *o = c->options; o->name; o++)
		buf_printf(to, "--%s ", o->name);
	buf_puts(to, "' valued='");
	for (const struct cli_option *o = c->options; o->name; o++)
		if (o->argument)
			buf_printf(to, "--%s:%s ", o->name, o->argument);
	buf_puts(to, "'\n\t\tplaces=(");
	for (uint32_t i = 0; i < count; i++)
		buf_printf(to, "%s'%s'", i > 0 ? " " : "", places[i].words);
	buf_puts(to, ")\n\t\t;;\n");
}

static const char bash_words[] =
	"# What a kind of argument may be here.\n"
	"_davit_words() {\n"
	"\tlocal kind\n"
	"\tfor kind in $1; do\n"
	"\t\tcase $kind in\n"
	"\t\tENV | ENV/PROCESS | ROLLOUT) davit completion environments 2>/dev/null ;;\n"
	"\t\tVERSION) davit completion versions 2>/dev/null ;;\n"
	"\t\tVERB) printf '%s\\n' \"$_davit_verbs\" ;;\n"
	"\t\tPATH | FILE) compgen -f -- \"$2\" ;;\n"
	"\t\tDIR) compgen -d -- \"$2\" ;;\n"
	"\t\t[A-Z]*) ;;\n"
	"\t\t*) printf '%s\\n' \"$kind\" ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"}\n\n";

static const char bash_middle[] =
	"_davit() {\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options='' "
	"valued=''\n"
	"\tlocal places=() pair place=0 i\n\tCOMPREPLY=()\n"
	"\tif ((COMP_CWORD == 1)); then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$_davit_verbs help\" -- \"$current\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase ${COMP_WORDS[1]} in\n"
	"\thelp) places=('VERB') ;;\n";

static const char bash_end[] =
	"\tesac\n"
	"\toptions+=$_davit_options valued+=$_davit_valued\n"
	"\tfor pair in $valued; do\n"
	"\t\tif [[ $before == \"${pair%%:*}\" ]]; then\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_davit_words \"${pair#*:}\" \"$current\")\" "
	"-- \"$current\")\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ $current == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
	"\t\t\treturn\n"
	"\t\telif [[ ${COMP_WORDS[i]} == -* ]]; then\n"
	"\t\t\tif [[ \" $valued\" == *\" ${COMP_WORDS[i]}:\"* ]]; then i=$((i + 1)); fi\n"
	"\t\telse\n"
	"\t\t\tplace=$((place + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$(_davit_words \"${places[place]-}\" "
	"\"$current\")\" -- \"$current\")\n"
	"}\n\n"
	"complete -o filenames -F _davit davit\n";

static void bash(struct buf *to)
{
	buf_puts(to, "# bash completion of davit, made by: davit completion bash\n_davit_verbs='");
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		buf_printf(to, "%s%s", c == cli_command_next(NULL) ? "" : "\n", c->name);
	buf_puts(to, "'\n_davit_options='");
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		buf_printf(to, "--%s ", o->name);
	buf_puts(to, "'\n_davit_valued='");
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		if (o->argument)
			buf_printf(to, "--%s:%s ", o->name, o->argument);
	buf_puts(to, "'\n\n");
	buf_puts(to, bash_words);
	buf_puts(to, bash_middle);
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		bash_verb(c, to);
	buf_puts(to, bash_end);
}

/* --- zsh */

/* In single quotes; `special` are characters that _arguments would take for its own. */
static void put_quoted(struct buf *to, const char *text, const char *special)
{
	for (; *text; text++)
		if (*text == '\'')
			buf_puts(to, "'\\''");
		else
			buf_printf(to, "%s%c", strchr(special, *text) ? "\\" : "", *text);
}

static void zsh_option(const struct cli_option *o, struct buf *to)
{
	char forms[2][WORD_SIZE];
	int count = 1;
	snprintf(forms[0], WORD_SIZE, "--%s", o->name);
	if (o->letter) {
		snprintf(forms[1], WORD_SIZE, "-%c", o->letter);
		count = 2;
	}
	for (int i = 0; i < count; i++) {
		buf_printf(to, " \\\n\t\t\t'%s[", forms[i]);
		put_quoted(to, o->help, "[]:\\");
		buf_puts(to, "]");
		if (o->argument)
			buf_printf(to, ":%s:_davit_words %s", o->argument, o->argument);
		buf_puts(to, "'");
	}
}

static void zsh_verb(const struct cli_command *c, struct buf *to)
{
	struct place places[PLACES_MAX];
	uint32_t count = places_of(c, places);
	buf_printf(to, "\t%s)\n\t\t_arguments -s", c->name);
	for (const struct cli_option *o = c->options; o->name; o++)
		zsh_option(o, to);
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		zsh_option(o, to);
	for (uint32_t i = 0; i < count; i++)
		buf_printf(to, " \\\n\t\t\t'%u::argument:_davit_words %s'", i + 1, places[i].words);
	buf_puts(to, "\n\t\t;;\n");
}

static const char zsh_words[] =
	"_davit_words() {\n"
	"\tlocal kind\n"
	"\tlocal -a found\n"
	"\twhile [[ $1 == -* ]]; do shift; done\n"
	"\tfor kind in \"$@\"; do\n"
	"\t\tcase $kind in\n"
	"\t\tENV | ENV/PROCESS | ROLLOUT) found+=(${(f)\"$(davit completion environments "
	"2>/dev/null)\"}) ;;\n"
	"\t\tVERSION) found+=(${(f)\"$(davit completion versions 2>/dev/null)\"}) ;;\n"
	"\t\tPATH | FILE) _files ;;\n"
	"\t\tDIR) _files -/ ;;\n"
	"\t\t[A-Z]*) ;;\n"
	"\t\t*) found+=($kind) ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#found )) && compadd -- $found\n"
	"}\n\n";

static void zsh(struct buf *to)
{
	buf_puts(to,
		 "#compdef davit\n# zsh completion of davit, made by: davit completion zsh\n\n");
	buf_puts(to, zsh_words);
	buf_puts(to, "_davit() {\n\tlocal -a verbs\n\tverbs=(\n");
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		buf_printf(to, "\t\t'%s:", c->name);
		put_quoted(to, c->summary, ":\\");
		buf_puts(to, "'\n");
	}
	buf_puts(to, "\t\t'help:explain a command'\n\t)\n\tif (( CURRENT == 2 )); then\n"
		     "\t\t_describe command verbs\n\t\treturn\n\tfi\n"
		     "\tshift words\n\t(( CURRENT-- ))\n\tcase $words[1] in\n"
		     "\thelp) _describe command verbs ;;\n");
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));)
		zsh_verb(c, to);
	buf_puts(to, "\tesac\n}\n\nif [[ $funcstack[1] == _davit ]]; then\n\t_davit \"$@\"\nelse\n"
		     "\tcompdef _davit davit\nfi\n");
}

/* --- fish */

static void fish_option(const char *when, const struct cli_option *o, struct buf *to)
{
	buf_printf(to, "complete -c davit%s -l %s", when, o->name);
	if (o->letter)
		buf_printf(to, " -s %c", o->letter);
	if (o->argument)
		buf_printf(to, " -r%s",
			   strcmp(o->argument, "FILE") == 0 || strcmp(o->argument, "DIR") == 0
				   ? "F"
				   : "f");
	if (o->argument && strcmp(o->argument, "VERSION") == 0)
		buf_puts(to, " -a '(davit completion versions 2>/dev/null)'");
	buf_puts(to, " -d '");
	for (const char *p = o->help; *p; p++)
		buf_printf(to, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
	buf_puts(to, "'\n");
}

static void fish_place(const struct cli_command *c, uint32_t index, const struct place *place,
		       struct buf *to)
{
	static const struct {
		const char *kind, *words;
	} kinds[] = {{"ENV", "(davit completion environments 2>/dev/null)"},
		     {"ENV/PROCESS", NULL},
		     {"ROLLOUT", NULL},
		     {"VERSION", "(davit completion versions 2>/dev/null)"},
		     {"PATH", "(__fish_complete_path)"},
		     {"FILE", "(__fish_complete_path)"},
		     {"KEY", NULL}};
	char rest[VALUE_SIZE], *save = NULL;
	text_copy(rest, sizeof rest, place->words);
	for (char *word = strtok_r(rest, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		const char *words = word;
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			if (strcmp(kinds[i].kind, word) == 0)
				words = kinds[i].words;
		if (words)
			buf_printf(to, "complete -c davit -n '__davit_at %s %u' -a '%s'\n", c->name,
				   index, words);
	}
}

static void fish(struct buf *to)
{
	buf_puts(to, "# fish completion of davit, made by: davit completion fish\n"
		     "function __davit_at\n"
		     "\tset -l words (commandline -opc)\n"
		     "\ttest (count $words) -ge 2; and test $words[2] = $argv[1]; or return 1\n"
		     "\tset -l place 0\n"
		     "\tfor word in $words[3..-1]\n"
		     "\t\tstring match -q -- '-*' $word; or set place (math $place + 1)\n"
		     "\tend\n"
		     "\ttest $place -eq $argv[2]\n"
		     "end\n\ncomplete -c davit -f\n");
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		fish_option("", o, to);
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		struct place places[PLACES_MAX];
		char when[80];
		uint32_t count = places_of(c, places);
		buf_printf(to, "complete -c davit -n __fish_use_subcommand -a %s -d '", c->name);
		for (const char *p = c->summary; *p; p++)
			buf_printf(to, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
		buf_puts(to, "'\n");
		snprintf(when, sizeof when, " -n '__fish_seen_subcommand_from %s'", c->name);
		for (const struct cli_option *o = c->options; o->name; o++)
			fish_option(when, o, to);
		for (uint32_t i = 0; i < count; i++)
			fish_place(c, i, &places[i], to);
	}
}

bool completion_script(const char *shell, struct buf *to)
{
	static const struct {
		const char *shell;
		void (*write)(struct buf *to);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
		if (strcmp(shells[i].shell, shell) == 0) {
			shells[i].write(to);
			return true;
		}
	return false;
}

/* --- the verb */

/* For the scripts: nothing at all where no server answers. */
static int print_names(const struct cli *cli, bool environments)
{
	struct client *client;
	struct error err;
	json_t *answer = NULL;
	const json_t *row, *e;
	size_t i, k;
	if (client_open(cli, &client, &err) < 0)
		return CLI_UNREACHABLE;
	int result =
		client_get(client, environments ? "/v1/status" : "/v1/releases", &answer, &err);
	client_free(client);
	if (result < 0)
		return CLI_UNREACHABLE;
	json_array_foreach (json_object_get(answer, "applications"), i, row)
		json_array_foreach (json_object_get(row, "environments"), k, e)
			puts(json_text_of(e, "name"));
	json_array_foreach (json_object_get(answer, "releases"), i, row)
		puts(json_text_of(row, "tag"));
	json_decref(answer);
	return CLI_OK;
}

int verb_completion(struct cli *cli)
{
	const char *what = cli_arg(cli, 0);
	struct error err;
	struct buf text;
	if (strcmp(what, "environments") == 0 || strcmp(what, "versions") == 0)
		return print_names(cli, what[0] == 'e');
	buf_init(&text, COMPLETION_MAX);
	int code = CLI_OK;
	if (!completion_script(what, &text)) {
		error_set(&err, ERR_INVALID,
			  "davit completes in bash, zsh and fish, not in \"%s\".", what);
		code = cli_fail(cli, &err, "davit completion --help");
	} else if (cli->json) {
		ask_print(json_pack("{s:s,s:s,s:s}", "schema", "davit.v1/completion", "shell", what,
				    "script", buf_text(&text)));
	} else {
		fputs(buf_text(&text), stdout);
	}
	buf_done(&text);
	return code;
}
