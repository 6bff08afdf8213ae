/* SPDX-License-Identifier: Apache-2.0
 * fuzz_config - any bytes as davit.yaml.
 *
 * What is refused has a place and a sentence. What is accepted resolves for every environment and every
 * strategy; its canonical text reads back, and is then the same text. Commands of it can be expanded. */
#include <string.h>

#include "fuzz.h"

#include "config/command.h"
#include "config/config.h"
#include "config/settings.h"

/* libfyaml 0.7.12 forgets a buffer of its own when a quoted scalar has many escapes. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void expect_errors(const struct config_errors *errors)
{
	EXPECT(errors->count > 0 && errors->count <= CONFIG_ERRORS_MAX);
	for (uint32_t i = 0; i < errors->count; i++) {
		const struct error *err = &errors->items[i];
		EXPECT(err->code < 0 && err->text[0] != '\0');
		EXPECT(strncmp(err->where, "davit.yaml:", 11) == 0);
		for (const char *p = err->text; *p; p++)
			EXPECT((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

static void expect_command(const struct app_command *command)
{
	static const struct app_variable variables[] = {{"PORT", "41001"},
							{"URL", "http://127.0.0.1:41001"}};
	struct command_argv argv;
	struct error err = {0};
	if (command_expand(command, variables, 2, &argv, &err) < 0) {
		EXPECT(err.code == ERR_LIMIT); /* everything else was refused with the file */
		return;
	}
	EXPECT(argv.count > 0 && argv.items[argv.count] == NULL);
	command_argv_done(&argv);
}

static void expect_stable(const struct resolved *resolved)
{
	struct resolved *again = NULL;
	struct error err = {0};
	struct buf first, second;
	buf_init(&first, CONFIG_ENCODED_MAX);
	buf_init(&second, CONFIG_ENCODED_MAX);
	config_encode(resolved, &first);
	EXPECT(!first.overflowed);
	EXPECT(config_decode(buf_text(&first), first.size, &again, &err) == 0);
	config_encode(again, &second);
	EXPECT(strcmp(buf_text(&first), buf_text(&second)) == 0);
	config_resolved_free(again);
	buf_done(&first);
	buf_done(&second);
}

static void expect_environment(const struct app *app, const char *environment, const char *strategy)
{
	struct resolved *resolved = NULL;
	struct strategy_settings settings;
	struct judge_rules rules;
	struct error err = {0};
	if (config_resolve(app, environment, strategy, &resolved, &err) < 0) {
		EXPECT(strategy &&
		       err.text[0] != '\0'); /* without one, the file would not have passed */
		return;
	}
	config_rules(resolved, &rules);
	EXPECT(rules.errors.at_least > 0 && rules.latency_count <= JUDGE_LATENCY_RULES_MAX);
	int status = config_strategy(resolved, &settings, &err);
	EXPECT(strategy || status == 0);
	expect_stable(resolved);
	for (uint32_t i = 0; i < resolved->environment.process_count; i++)
		expect_command(&resolved->environment.processes[i].run);
	config_resolved_free(resolved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_errors errors;
	struct app *app = NULL;
	if (config_load((const char *)data, size, "davit.yaml", &app, &errors) < 0) {
		EXPECT(app == NULL);
		expect_errors(&errors);
		return 0;
	}
	for (uint32_t i = 0; i < app->environment_count; i++) {
		expect_environment(app, app->environments[i].name, NULL);
		expect_environment(app, app->environments[i].name, "recreate");
		expect_environment(app, app->environments[i].name, "shadow");
	}
	config_free(app);
	return 0;
}
