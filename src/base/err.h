/* SPDX-License-Identifier: Apache-2.0
 *
 * err - errors as values.
 *
 * WHAT  A failing function returns a negative enum err (success is 0 or a positive count) and, where
 *       a person will read it, fills `struct error` with one complete sentence.
 *
 * HOW   `return error_set(err, ERR_INVALID, "The port \"%s\" is not a number.", text);`
 *       Outer layers may prefix context with error_prefix(); nobody replaces a sentence.
 *
 * OWNS  `struct error` is caller's storage, plain data, never NULL where a function takes one, and
 *       untouched on success.
 *
 * UNITS Codes are chosen by what the caller does next, not by what went wrong.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define ERRORS(X)                                                                               \
	X(OK, 0, "ok")                                                                          \
	X(INVALID, -1, "invalid")          /* the input is wrong: fix it, then again */         \
	X(NOT_FOUND, -2, "not-found")      /* the named thing does not exist */                 \
	X(DENIED, -3, "denied")            /* the caller may not */                             \
	X(CONFLICT, -4, "conflict")        /* the state moved, or somebody else holds it */     \
	X(LIMIT, -5, "limit")              /* a stated bound was reached */                     \
	X(TIMEOUT, -6, "timeout")          /* no answer in time: unknown whether it happened */ \
	X(UNAVAILABLE, -7, "unavailable")  /* the other side is not there: try again later */   \
	X(RETRY, -8, "retry")              /* not now (would block): call again when told */    \
	X(CORRUPT, -9, "corrupt")          /* stored or received data breaks its contract */    \
	X(NO_SPACE, -10, "no-space")       /* disk full or quota: nothing was changed */        \
	X(UNSUPPORTED, -11, "unsupported") /* known, but not built or not possible here */      \
	X(CLOSED, -12, "closed")           /* the peer ended the conversation */                \
	X(INTERNAL, -13, "internal")       /* a bug or an unexpected answer of the system */

enum err {
#define X(name, value, text) ERR_##name = (value),
	ERRORS(X)
#undef X
};

enum { ERROR_TEXT_MAX = 512, ERROR_WHERE_MAX = 256 };

struct error {
	enum err code;
	char text[ERROR_TEXT_MAX];   /* one complete sentence, with a full stop */
	char where[ERROR_WHERE_MAX]; /* "file:line:column", "driver request", or empty */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Fill `err` and return `code`, so that a failure is one statement. Control bytes are escaped. */
int error_set(struct error *err, enum err code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set(), and appends ": " and the text of the system's error number `number`. */
int error_errno(struct error *err, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "format: " before the sentence that is there; returns err->code. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say where: "davit.yaml:3:7". */
void error_where(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_name(enum err code);

/* The code a name stands for; ERR_INTERNAL for a name nobody knows. */
enum err err_from_name(const char *name);

/* A broken promise of our own code: print where, and abort. The parent restarts, the store recovers. */
#define ASSERT(condition) \
	((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__, __func__))

void assert_failed(const char *condition, const char *file, int line, const char *function)
	__attribute__((noreturn));

#endif
