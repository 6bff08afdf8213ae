/* SPDX-License-Identifier: Apache-2.0
 *
 * config - davit.yaml to a checked application, and to what one environment runs.
 *
 * WHAT  config_load() reads a file's text and checks everything that can be known offline.
 *       config_resolve() merges it for one environment. config_encode() writes that as canonical text,
 *       which is stored with a release; config_decode() reads it back.
 *
 * HOW   config_load(text, size, "davit.yaml", &app, &errors);
 *       config_resolve(app, "prod", NULL, &resolved, &err);
 *       config_encode(resolved, &buf); digest = config_digest(resolved);
 *       The canonical text is JSON with sorted keys, every default written out, in the grammar of the
 *       file itself, so that a release keeps its meaning when a later davit has other defaults.
 *
 * OWNS  What ret_app and ret_resolved point to: config_free() and config_resolved_free(). A resolved
 *       configuration does not depend on the app that it came from.
 * ERRORS config_load() reports up to CONFIG_ERRORS_MAX errors at once, each with `where` =
 *       "file:line:column", ordered as in the file. ERR_INVALID from all others for what the text says,
 *       ERR_NOT_FOUND for an environment or key that does not exist.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "config/app.h"
#include "judge/judge.h"
#include "judge/kayenta.h"

enum { CONFIG_ERRORS_MAX = 20, CONFIG_ENCODED_MAX = 256 << 10 };

struct config_errors {
	uint32_t count;
	uint32_t left_out; /* found, but past CONFIG_ERRORS_MAX */
	struct error items[CONFIG_ERRORS_MAX];
};

/* `file` is how errors name the text. `errors` is filled on failure only. */
int config_load(const char *text, size_t size, const char *file, struct app **ret_app,
		struct config_errors *errors) MUST_CHECK;
void config_free(struct app *app);

/* `strategy` replaces the environment's, by name; NULL: keep it. */
int config_resolve(const struct app *app, const char *environment, const char *strategy,
		   struct resolved **ret_resolved, struct error *err) MUST_CHECK;

/* Stage `index` of the pipeline with every default filled in. Its texts are the app's. */
void config_stage(const struct app *app, uint32_t index, struct app_stage *ret_stage);

/* Append the canonical text (after buf_init(to, CONFIG_ENCODED_MAX)). */
void config_encode(const struct resolved *resolved, struct buf *to);
int config_decode(const char *text, size_t size, struct resolved **ret_resolved,
		  struct error *err) MUST_CHECK;
void config_resolved_free(struct resolved *resolved);

/* SHA-256 of the canonical text. */
struct digest config_digest(const struct resolved *resolved);

/* A release's id: SHA-256 over the artifact's digest and the configuration's. */
struct digest config_release_id(const struct digest *artifact, const struct digest *configuration);

/* Whether a check of this name runs in the environment: as a step of its strategy, or to verify. */
bool config_uses_check(const struct resolved *resolved, const char *name);

/* The plain rules that a resolved environment is judged by. */
void config_rules(const struct resolved *resolved, struct judge_rules *ret_rules);
/* Its statistics. False: it wants none, or others (`analysis: off`, `method: rules`, `mann-whitney`). */
bool config_judge(const struct resolved *resolved, struct judge_settings *ret_settings);

enum config_kayenta_metric {
	CONFIG_KAYENTA_ERRORS,
	CONFIG_KAYENTA_P50,
	CONFIG_KAYENTA_P90,
	CONFIG_KAYENTA_P99,
	CONFIG_KAYENTA_METRICS
};

struct config_kayenta {
	uint64_t interval_ms; /* a point */
	uint32_t points;      /* of both releases, before it judges: 5..SAMPLE_MAX */
	struct kayenta_thresholds thresholds;
	struct {
		bool muted;
		struct kayenta_settings settings;
	} metrics[CONFIG_KAYENTA_METRICS];
};

/* Kayenta's judge. False: another one is wanted, or none. */
bool config_kayenta(const struct resolved *resolved, struct config_kayenta *ret_settings);

/* The JSON Schema of davit.yaml (draft 2020-12). */
void config_schema_json(struct buf *to);

/* What a key means: "instances", or a path such as "service.health.interval". Several keys of the same
 * name are all explained. */
int config_docs(const char *key, struct buf *to, struct error *err) MUST_CHECK;

/* docs/reference/config.md. */
void config_reference(struct buf *to);

#endif
