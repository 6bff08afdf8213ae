/* SPDX-License-Identifier: Apache-2.0
 *
 * keys - what the tables of davit.yaml share: keys_process.c (commands, processes), keys_steps.c
 *        (checks, analysis, strategies), keys_kayenta.c, keys_measures.c and keys_compare.c (sections of `analysis`), keys_gates.c
 *        (who and what stands between a release and an environment), keys_migrate.c (`migrate`), keys_hooks.c (`hooks`), keys_infrastructure.c, keys_cohort.c (`cohort`), keys_requests.c (`requests`), keys_tcp.c (`tcp`), keys_secrets.c (`secrets`), keys.c
 *        (environments, and the file as a whole).
 *
 * HOW   Rows are in the order in which a person reads them. Bits of `set` follow that order: steps.h
 *       names those of a step, so its rows must not move.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/schema.h"

#define COUNT(array)     ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define KEYS(array)      .keys = (array), .count = COUNT(array)
#define LATER(array)     .later = (array), .later_count = COUNT(array)
#define AT(type, member) .offset = offsetof(struct type, member)
#define ITEMS(type, member, counter)                                                             \
	.offset = offsetof(struct type, member), .count_offset = offsetof(struct type, counter), \
	.item_size = sizeof(((struct type *)NULL)->member[0])

#define SECOND(number) ((number)*1000ull)
#define MINUTE(number) SECOND((number)*60ull)
#define HOUR(number)   MINUTE((number)*60ull)
#define DAY(number)    HOUR((number)*24ull)
#define MIB(number)    ((number) * (1ull << 20))

bool keys_is_branch(const char *text);      /* main, release/1.2; "release/" is all below it */
bool keys_is_tag_pattern(const char *text); /* v1.4.2, or "v*" for all that begin so */

#define KEYS_NAME_SHAPE "a name of lower-case letters, digits and \"-\", such as \"shop\""

extern const struct schema_section schema_command;
extern const struct schema_section schema_secret; /* of a process and of an environment */
extern const struct schema_section schema_process;
extern const struct schema_section schema_check;
extern const struct schema_section schema_analysis;
extern const struct schema_section schema_errors;  /* of `analysis` */
extern const struct schema_section schema_kayenta; /* the same */
extern const struct schema_section schema_scrape;
extern const struct schema_section schema_kpi;
extern const struct schema_section schema_compare;
extern const struct schema_section schema_cpu;
extern const struct schema_section schema_memory;
extern const struct schema_section schema_crashes;
extern const struct schema_section schema_log_errors;
extern const struct schema_section schema_approve;        /* of an environment */
extern const struct schema_section schema_windows;        /* the same */
extern const struct schema_section schema_trigger;        /* keys_pipeline.c */
extern const struct schema_section schema_migrate;        /* of the file and of an environment */
extern const struct schema_section schema_hooks;          /* the same */
extern const struct schema_section schema_infrastructure; /* of an environment */
extern const struct schema_section schema_cohort;         /* the same */
extern const struct schema_section schema_requests;       /* the same */
extern const struct schema_section schema_tls;            /* the same */
extern const struct schema_section schema_tcp;            /* the same */
extern const struct schema_section schema_environment;
extern const struct schema_section schema_stage;      /* of `pipeline` */
extern const struct schema_section schema_strategy;   /* of an environment */
extern const struct schema_section schema_definition; /* in `strategies` */

#endif
