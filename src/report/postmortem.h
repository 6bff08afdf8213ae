/* SPDX-License-Identifier: Apache-2.0
 *
 * postmortem - the facts of a rollout that had to come back, and the document that is made of them.
 *
 * WHAT  `struct postmortem` is filled from davit's own records (control/postmortem.h). postmortem_write() turns it into
 *       Markdown or into one HTML page that needs nothing else: the same facts give the same bytes, always.
 *
 * HOW   Names of people are not in it: it says "a person" and names the audit entry. What only people know
 *       (why, what next) is a question with room for the answer.
 *
 * UNITS Unix milliseconds; *_ms durations; shares *_bp; latencies *_us. -1 or 0 as said: not known.
 * OWNS  A value without pointers, about 1 MB: keep it on the heap.
 * LIMITS Texts from outside are escaped by the writer and never run: tests/unit/report.
 * SEE   docs/postmortem.md for every definition.
 */
#ifndef REPORT_POSTMORTEM_H
#define REPORT_POSTMORTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"

enum {
	POSTMORTEM_WORD_SIZE = 96,
	POSTMORTEM_TEXT_SIZE = 512,
	POSTMORTEM_LINES_MAX = 256,
	POSTMORTEM_CHANGES_MAX = 128,
	POSTMORTEM_COMMITS_MAX = 100,
	POSTMORTEM_BINS_MAX = 60,
	POSTMORTEM_BANDS_MAX = 32,
	POSTMORTEM_REPLAYS_MAX = 6,
	POSTMORTEM_BYTES_MAX = 4 << 20, /* of a document */
};

struct postmortem_release {
	char id[DIGEST_HEX_SIZE];       /* "" = none */
	char tag[POSTMORTEM_WORD_SIZE]; /* "" = it has none */
	char artifact[DIGEST_HEX_SIZE], config[DIGEST_HEX_SIZE];
	char commit[POSTMORTEM_WORD_SIZE]; /* "" = it was not built here */
	char author[POSTMORTEM_TEXT_SIZE], subject[POSTMORTEM_TEXT_SIZE];
};

/* Since the rollout began, in the gateway. */
struct postmortem_traffic {
	uint64_t requests, errors;
	uint64_t p50_us, p99_us;
};

/* Who or what found it. */
#define POSTMORTEM_FINDERS(X)                                                                \
	X(NOBODY, "nothing") /* it was not found bad */                                      \
	X(JUDGE, "davit's judge")                                                            \
	X(CHECK, "a check")                                                                  \
	X(DAVIT, "davit") /* instances that crash or do not become ready, steps that last */ \
	X(PERSON, "a person")

enum postmortem_finder {
#define X(name, text) POSTMORTEM_BY_##name,
	POSTMORTEM_FINDERS(X)
#undef X
};

struct postmortem_line {
	char event[24]; /* "audit 57", "evidence 3" */
	uint64_t at_unix_ms;
	bool by_person;
	char what[POSTMORTEM_WORD_SIZE];
	char text[POSTMORTEM_TEXT_SIZE];
};

/* A key of the configuration; `hidden`: it differs, and its values are nobody's business. "" = not there. */
struct postmortem_change {
	char key[192];
	bool hidden;
	char from[160], to[160];
};

/* One that the bad release had and the one before had not. */
struct postmortem_commit {
	char id[POSTMORTEM_WORD_SIZE];
	uint64_t committed_unix_ms; /* 0: it cannot be told */
	bool merge;
	char subject[POSTMORTEM_TEXT_SIZE];
};

/* A stretch of the time that was judged. */
struct postmortem_bin {
	uint64_t new_requests, new_errors, live_requests, live_errors;
	uint64_t new_p99_us, live_p99_us; /* 0 = no answer */
	double odds;                      /* against the new release at its end */
};

/* From `at_ms` on the rollout stood at this step. */
struct postmortem_band {
	uint64_t at_ms;
	uint32_t weight_bp;
	char label[POSTMORTEM_WORD_SIZE];
};

/* The same ticks, judged by other settings. */
struct postmortem_replay {
	char what[POSTMORTEM_WORD_SIZE];
	bool failed;
	uint64_t
		at_ms; /* since the new release's first request; of the end where it did not fail */
	uint64_t requests, errors; /* of the new release until then */
	uint32_t band;             /* in which it failed */
};

/* A step of the plan at which it was to wait: its place in the plan, and the share of users' requests there. */
struct postmortem_step {
	uint32_t place, weight_bp;
	char label[POSTMORTEM_WORD_SIZE];
};

struct postmortem_ticks {
	bool known; /* statistics judged it, and their ticks are kept */
	uint64_t total_ms, bin_ms;
	uint32_t bin_count;
	struct postmortem_bin bins[POSTMORTEM_BINS_MAX];
	uint32_t band_count;
	struct postmortem_band bands[POSTMORTEM_BANDS_MAX];
	double fails_at; /* odds */
	bool failed;
	char metric[POSTMORTEM_WORD_SIZE]; /* that decided */
	uint64_t failed_ms;
	/* The tick after which the evidence of that metric never was as low again until the verdict. */
	uint64_t first_bad_ms;
	uint64_t requests_until_bad, requests_until_failed;
	uint32_t replay_count;
	struct postmortem_replay replays[POSTMORTEM_REPLAYS_MAX]; /* the first: as it was */
};

struct postmortem {
	uint32_t number;
	char app[POSTMORTEM_WORD_SIZE], environment[POSTMORTEM_WORD_SIZE];
	char kind[POSTMORTEM_WORD_SIZE], strategy[POSTMORTEM_WORD_SIZE],
		state[POSTMORTEM_WORD_SIZE];
	/* bad: what had to go; back: what serves since. Of a rollback, bad was the live one. */
	struct postmortem_release bad, back;
	uint64_t started_unix_ms, ended_unix_ms;
	uint64_t exposed_unix_ms; /* the first share of users' requests; 0 = it never had one */
	uint32_t weight_most_bp;
	uint64_t exposed_ms;     /* until weight 0 was ordered */
	double exposure_minutes; /* of all traffic: the integral of weight over that time */
	bool counted;            /* requests of the bad release are known */
	struct postmortem_traffic new_traffic, live_traffic;
	double expected; /* failures at the live release's share; -1 = cannot be said */
	enum postmortem_finder finder;
	uint64_t verdict_unix_ms; /* 0 = there was none */
	char verdict[2 * POSTMORTEM_TEXT_SIZE];
	char step[POSTMORTEM_WORD_SIZE]; /* at which it stood then */
	uint64_t zero_ms; /* from the verdict until no worker gave it a request; 0 = not measured */
	uint64_t
		validated_ms; /* from then until the release before served everything, healthy; 0 = it did not */
	uint32_t step_count;
	struct postmortem_step steps[POSTMORTEM_BANDS_MAX];
	uint32_t line_count, lines_left_out;
	struct postmortem_line lines[POSTMORTEM_LINES_MAX]; /* oldest first */
	char chain[DIGEST_HEX_SIZE]; /* hash of the audit entry that ends it */
	uint32_t change_count, changes_left_out;
	bool compared; /* both configurations are there */
	struct postmortem_change changes[POSTMORTEM_CHANGES_MAX];
	bool commits_known;
	uint32_t commit_count, commits_left_out; /* what is left out is older */
	bool commits_cut;                        /* and there are more than davit reads */
	struct postmortem_commit commits[POSTMORTEM_COMMITS_MAX]; /* newest first */
	struct postmortem_ticks ticks;
};

const char *postmortem_finder_text(enum postmortem_finder finder);

/* "sev1" the way back failed · "sev2" a person had to act, or more than half of the users' requests went to it ·
 * "sev3" davit took it back by itself before that. A proposal. */
const char *postmortem_severity(const struct postmortem *p);

/* Five working days after its end, "2026-11-30". */
const char *postmortem_review_due(const struct postmortem *p, char to[16]);

/* The three sentences that begin it, each into `to`. */
void postmortem_summary(const struct postmortem *p, char to[3][2 * POSTMORTEM_TEXT_SIZE]);

/* "" or a sentence: after how long a first step would have seen it. An estimate at the traffic of then. */
void postmortem_longer_step(const struct postmortem *p, char to[POSTMORTEM_TEXT_SIZE]);

enum postmortem_format { POSTMORTEM_MARKDOWN, POSTMORTEM_HTML };
void postmortem_write(const struct postmortem *p, enum postmortem_format format, struct buf *to);

#endif
