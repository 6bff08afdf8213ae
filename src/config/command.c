/* SPDX-License-Identifier: Apache-2.0
 * command - see command.h for the contract.
 *
 * All words of one command lie one after the other in one growing buffer; argv points into it once it no
 * longer moves. */
#include "config/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

struct words {
	struct buf text; /* each word with its NUL */
	uint32_t count;
	const struct app_variable *variables;
	size_t variable_count;
};

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t name_length(const char *p)
{
	size_t length = 0;
	if (*p >= '0' && *p <= '9')
		return 0;
	while (is_name_char(p[length]))
		length++;
	return length;
}

/* At a '$': append what it stands for, return the characters it took. */
static size_t put_variable(struct words *words, const char *dollar)
{
	size_t length = name_length(dollar + 1);
	for (size_t i = 0; length > 0 && i < words->variable_count; i++) {
		const struct app_variable *variable = &words->variables[i];
		if (strlen(variable->name) == length &&
		    strncmp(variable->name, dollar + 1, length) == 0) {
			buf_puts(&words->text, variable->value);
			return length + 1;
		}
	}
	buf_append(&words->text, "$", 1);
	return 1;
}

static void end_word(struct words *words)
{
	buf_append(&words->text, "", 1);
	words->count++;
}

/* What a person writes who expects a shell. `start` to `end` is a word without quotes. */
static bool is_shell_word(const char *start, size_t length)
{
	static const char *const operators[] = {"|", "||", "&&", ";",  "&",
						">", ">>", "<",  "2>", "2>&1"};
	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
		if (strlen(operators[i]) == length && strncmp(operators[i], start, length) == 0)
			return true;
	return length > 1 && start[length - 1] == ';';
}

/* One word at *at, which is not a blank; moves behind it. */
static int take_word(struct words *words, const char **at, struct error *err)
{
	const char *p = *at;
	char quote = '\0';
	bool quoted = false;
	for (; *p && (quote || (*p != ' ' && *p != '\t')); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? '\0' : *p;
			quoted = true;
		} else if (*p == '\\' && quote != '\'') {
			if (p[1] == '\0')
				return error_set(err, ERR_INVALID,
						 "The line ends in a backslash; remove it.");
			buf_append(&words->text, ++p, 1);
			quoted = true;
		} else if (*p == '$' && quote != '\'') {
			p += put_variable(words, p) - 1;
		} else {
			buf_append(&words->text, p, 1);
		}
	}
	if (quote)
		return error_set(err, ERR_INVALID, "The quote %c is not closed; add another one.",
				 quote);
	if (!quoted && is_shell_word(*at, (size_t)(p - *at)))
		return error_set(err, ERR_INVALID,
				 "No shell runs this line, so \"%.*s\" would be an argument; write "
				 "{ sh: '...' } for a script, or quote it.",
				 (int)(p - *at), *at);
	end_word(words);
	*at = p;
	return 0;
}

static int split(struct words *words, const char *line, struct error *err)
{
	const char *at = line + strspn(line, " \t");
	while (*at) {
		int status = take_word(words, &at, err);
		if (status < 0)
			return status;
		at += strspn(at, " \t");
		if (words->count == COMMAND_WORDS_MAX && *at)
			return error_set(err, ERR_LIMIT,
					 "The line has more than %d words; put it into a script.",
					 COMMAND_WORDS_MAX);
	}
	if (words->count == 0)
		return error_set(err, ERR_INVALID, "The line is empty; write the program to run.");
	return 0;
}

static void put_argument(struct words *words, const char *text)
{
	for (const char *p = text; *p;) {
		if (*p == '$') {
			p += put_variable(words, p);
		} else {
			buf_append(&words->text, p, 1);
			p++;
		}
	}
	end_word(words);
}

static void put_plain(struct words *words, const char *text)
{
	buf_puts(&words->text, text);
	end_word(words);
}

int command_check(const char *line, struct error *err)
{
	struct words words = {0};
	buf_init(&words.text, COMMAND_BYTES_MAX);
	int status = split(&words, line, err);
	buf_done(&words.text);
	return status;
}

static int collect(struct words *words, const struct app_command *command, struct error *err)
{
	if (command->line)
		return split(words, command->line, err);
	if (command->sh) {
		put_plain(words, "/bin/sh");
		put_plain(words, "-c");
		put_plain(words, command->sh);
	} else {
		for (uint32_t i = 0; i < command->args.count; i++)
			put_argument(words, command->args.items[i]);
	}
	if (words->count == 0)
		return error_set(err, ERR_INVALID, "There is no command to run.");
	return 0;
}

int command_expand(const struct app_command *command, const struct app_variable *variables,
		   size_t count, struct command_argv *ret_argv, struct error *err)
{
	struct words words = {.variables = variables, .variable_count = count};
	buf_init(&words.text, COMMAND_BYTES_MAX);
	int status = collect(&words, command, err);
	if (status == 0 && words.text.overflowed)
		status = error_set(err, ERR_LIMIT,
				   "The command is longer than 64 KiB with its variables.");
	if (status < 0) {
		buf_done(&words.text);
		return status;
	}
	*ret_argv = (struct command_argv){.count = words.count, .memory = buf_take(&words.text)};
	char *at = ret_argv->memory;
	for (uint32_t i = 0; i < words.count; i++) {
		ret_argv->items[i] = at;
		at += strlen(at) + 1;
	}
	return 0;
}

void command_argv_done(struct command_argv *argv)
{
	free(argv->memory);
	*argv = (struct command_argv){0};
}

static bool mentions(const char *text, const char *variable)
{
	size_t length = strlen(variable);
	for (const char *p = strchr(text ? text : "", '$'); p; p = strchr(p + 1, '$')) {
		const char *name = p[1] == '{' ? p + 2 : p + 1;
		if (strncmp(name, variable, length) == 0 && !is_name_char(name[length]))
			return true;
	}
	return false;
}

bool command_mentions(const struct app_command *command, const char *variable)
{
	if (mentions(command->line, variable) || mentions(command->sh, variable))
		return true;
	for (uint32_t i = 0; i < command->args.count; i++)
		if (mentions(command->args.items[i], variable))
			return true;
	return false;
}
