/* SPDX-License-Identifier: Apache-2.0
 * convert_cppcheck - cppcheck --xml, version 2. The only user of expat.
 *
 * expat itself knows the five entities and character references only, as long as there is no document type; one is
 * refused where it begins, so nothing is ever expanded and nothing fetched. */
#include <expat.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "scan/convert.h"
#include "scan/json_input.h"
#include "scan/path.h"

struct reader {
	XML_Parser parser;
	const struct convert_input *input;
	struct findings *to;
	struct error *err;
	int status; /* below 0: `err` is filled */
	unsigned depth;
	bool begun, whole; /* <results version="2"> and its <errors> were there */
	struct finding_tool tool;
	/* the <error> at hand */
	bool open, counts, placed;
	struct finding draft;
	char *rule, *message;
	char path[FINDING_PATH_SIZE];
};

static void refuse(struct reader *r, enum err code, const char *sentence)
{
	if (r->status < 0)
		return;
	r->status = error_set(r->err, code, "%s", sentence);
	error_where(r->err, "%s:%lu", r->input->name,
		    (unsigned long)XML_GetCurrentLineNumber(r->parser));
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static const char *attribute(const char *const *list, const char *name)
{
	for (; list[0]; list += 2)
		if (strcmp(list[0], name) == 0)
			return list[1];
	return "";
}

/* False: it is no finding, but something that cppcheck wants to say. */
static bool severity_of(const char *word, enum severity *ret_severity)
{
	static const char *const words[] = {"error", "warning", "style", "performance",
					    "portability"};
	static const enum severity severities[] = {SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_LOW,
						   SEVERITY_LOW, SEVERITY_LOW};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i]) == 0) {
			*ret_severity = severities[i];
			return true;
		}
	return false;
}

static void begin_error(struct reader *r, const char *const *attributes)
{
	const char *severity = attribute(attributes, "severity");
	r->open = true;
	r->placed = false;
	r->path[0] = '\0';
	r->draft = (struct finding){.tool = r->tool.name, .version = r->tool.version};
	r->counts = severity_of(severity, &r->draft.severity);
	if (!r->counts && strcmp(severity, "information") != 0 && strcmp(severity, "none") != 0 &&
	    strcmp(severity, "debug") != 0)
		refuse(r, ERR_INVALID, "An <error> has a severity that is none of cppcheck's.");
	r->rule = mem_copy_text(attribute(attributes, "id"));
	r->message = mem_copy_text(attribute(attributes, "msg"));
}

static void end_error(struct reader *r)
{
	r->draft.rule = r->rule;
	r->draft.message = r->message;
	r->draft.path = r->path;
	r->to->left_out += !r->counts;
	if (r->counts && r->status == 0) {
		r->status = findings_add(r->to, &r->draft, r->err);
		if (r->status < 0) {
			error_where(r->err, "%s:%lu", r->input->name,
				    (unsigned long)XML_GetCurrentLineNumber(r->parser));
			(void)XML_StopParser(r->parser, XML_FALSE);
		}
	}
	free(r->rule);
	free(r->message);
	r->rule = r->message = NULL;
	r->open = false;
}

static uint32_t number_of(const char *text)
{
	uint64_t number;
	return text_parse_u64(text, INT_MAX, &number) ? (uint32_t)number : 0;
}

/* The first place is the one that the finding is about; the others led there. */
static void take_location(struct reader *r, const char *const *attributes)
{
	if (r->placed)
		return;
	r->placed = true;
	if (!path_of_name(attribute(attributes, "file"), r->path)) {
		refuse(r, ERR_LIMIT, "A file's name is too long.");
		return;
	}
	path_normalise(r->path, r->input->root);
	r->draft.line = number_of(attribute(attributes, "line"));
	r->draft.column = number_of(attribute(attributes, "column"));
}

static void begin_root(struct reader *r, const char *element, const char *const *attributes)
{
	if (strcmp(element, "results") != 0 || strcmp(attribute(attributes, "version"), "2") != 0)
		refuse(r, ERR_INVALID,
		       "This is no report of cppcheck: run it with --xml --output-file=FILE.");
	r->begun = true;
}

static void begin_errors(struct reader *r)
{
	if (!r->tool.name)
		r->status = findings_tool(r->to, "cppcheck", "", &r->tool, r->err);
	r->whole = true;
}

static void on_start(void *context, const char *element, const char **attributes)
{
	struct reader *r = context;
	const char *const *list = attributes;
	if (r->status < 0)
		return;
	if (++r->depth > CONVERT_XML_DEPTH_MAX)
		refuse(r, ERR_LIMIT, "The report is nested too deep.");
	else if (r->depth == 1)
		begin_root(r, element, list);
	else if (r->depth == 2 && strcmp(element, "cppcheck") == 0)
		r->status = findings_tool(r->to, "cppcheck", attribute(list, "version"), &r->tool,
					  r->err);
	else if (r->depth == 2 && strcmp(element, "errors") == 0)
		begin_errors(r);
	else if (r->depth == 3 && r->whole && strcmp(element, "error") == 0)
		begin_error(r, list);
	else if (r->depth == 4 && r->open && strcmp(element, "location") == 0)
		take_location(r, list);
}

static void on_end(void *context, const char *element)
{
	struct reader *r = context;
	(void)element;
	if (r->status == 0 && r->depth == 3 && r->open)
		end_error(r);
	r->depth--;
}

static void on_doctype(void *context, const char *name, const char *system_id,
		       const char *public_id, int has_internal_subset)
{
	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	refuse(context, ERR_INVALID,
	       "A report has no document type (<!DOCTYPE>): this one is refused.");
}

static void parse(struct reader *r)
{
	const struct convert_input *in = r->input;
	if (in->size == 0 || in->size > SCAN_BYTES_MAX) {
		refuse(r, in->size ? ERR_LIMIT : ERR_INVALID,
		       in->size ? "The report is larger than 10 MiB."
				: "The report is empty: cppcheck did not run.");
		return;
	}
	if (XML_Parse(r->parser, in->text, (int)in->size, XML_TRUE) == XML_STATUS_OK) {
		if (r->status == 0 && !(r->begun && r->whole))
			refuse(r, ERR_INVALID,
			       "The report has no <errors>: cppcheck did not finish.");
		return;
	}
	if (r->status == 0) {
		r->status = error_set(r->err, ERR_INVALID, "This is not XML: %s.",
				      XML_ErrorString(XML_GetErrorCode(r->parser)));
		error_where(r->err, "%s:%lu", in->name,
			    (unsigned long)XML_GetCurrentLineNumber(r->parser));
	}
}

int convert_cppcheck(const struct convert_input *input, struct findings *to, struct error *err)
{
	struct reader *r = mem_zero(1, sizeof *r);
	*r = (struct reader){.input = input, .to = to, .err = err};
	r->parser = XML_ParserCreate(NULL);
	ASSERT(r->parser);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	parse(r);
	XML_ParserFree(r->parser);
	free(r->rule);
	free(r->message);
	int status = r->status;
	free(r);
	return status;
}
