/* SPDX-License-Identifier: Apache-2.0
 *
 * guide_words - parts of davit.yaml as a person would say them. Private to the verb `guide`.
 *
 * HOW   Each appends to `to`. Texts of the configuration are put in as they are: the writer escapes them.
 */
#ifndef CLI_GUIDE_WORDS_H
#define CLI_GUIDE_WORDS_H

#include "base/buf.h"
#include "config/config.h"

enum { GUIDE_TEXT_MAX = 16 * 1024 };

void guide_put_command(struct buf *to, const struct app_command *command); /* its first line */
void guide_put_list(struct buf *to, const struct app_texts *texts, const char *otherwise);
void guide_put_duration(struct buf *to, uint64_t ms);
void guide_put_share(struct buf *to, uint32_t bp);

/* What one step of a strategy does. */
void guide_put_step(struct buf *to, const struct app_step *step);
/* "1%, 10%, 50%, 100%" or "all at once": the strategy in a word. */
void guide_put_strategy(struct buf *to, const struct app_strategy *strategy);
/* When a release comes to this environment. */
void guide_put_trigger(struct buf *to, const struct app_environment *e);
/* Who has to say yes; nothing where nobody has to. */
void guide_put_approval(struct buf *to, const struct app_environment *e);
void guide_put_probe(struct buf *to, const struct app_probe *probe);

#endif
