/* SPDX-License-Identifier: Apache-2.0
 *
 * log - structured records on standard error: time, level, process, event name, fields.
 *
 * HOW   log_event(LOG_INFO, "rollout.state", "rollout=%u from=%s to=%s", ...). The event name is fixed
 *       and can be searched for; the rest is logfmt fields. One record is one write(2) of one line.
 *       Values that came from outside go through text_escape() and stand in double quotes.
 *       Libraries below control/ do not log: they return errors. Who decides, logs, once.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Who speaks ("controller", "gateway", "keeper prod/web.1") and the least level that is written. */
void log_init(const char *process, enum log_level least);
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
