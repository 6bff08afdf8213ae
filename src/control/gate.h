/* SPDX-License-Identifier: Apache-2.0
 *
 * gate - may this release go out now? What an environment asks, what is known, and the sentence that says what is
 *        missing.
 *
 * WHAT  A pure decision, asked again and again until it is not "wait". In this order:
 *         a no                                    SHUT
 *         two persons in an emergency             OPEN, whatever else is asked (readiness is never skipped: that is
 *                                                 the plan's own)
 *         too few persons by the time it expires  SHUT
 *         too few persons, not long enough in `from`, or outside of the window: WAITS
 * UNITS Unix milliseconds, and milliseconds.
 */
#ifndef CONTROL_GATE_H
#define CONTROL_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GATE_SENTENCE_SIZE = 400, GATE_EMERGENCY_PERSONS = 2 };

struct gate_rules {
	uint32_t count;      /* persons who have to say yes; 0: nobody */
	uint64_t expires_ms; /* since it was asked for */
	uint64_t soak_ms;
	const char *by;   /* "release-managers or on-call"; "" = whoever may command the server */
	const char *from; /* the environment where it has to be good; NULL: none */
};

struct gate_facts {
	uint64_t now_unix_ms, asked_unix_ms;
	uint32_t yes, emergency; /* persons, each once */
	const char *no_by;       /* NULL: nobody said no */
	const char *no_reason;
	bool good_there; /* in `from`, still */
	uint64_t soaked_ms;
	uint64_t opens_in_ms; /* 0: inside of the window, or there is none */
};

enum gate_answer { GATE_OPEN, GATE_WAITS, GATE_SHUT };

enum gate_answer gate_decide(const struct gate_rules *rules, const struct gate_facts *facts,
			     char *sentence, size_t size);

#endif
