/*
 * Options as tables: a row names an option, where its value goes in the command's own struct, and
 * who parses it. The command line, --help, shell completion and the manual pages' lint all read the
 * same rows. Knows nothing of containers.
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct opt;

/*
 * Put one value into the option struct. text: borrowed from the command line, which lives as long
 * as the program; NULL for an option without a value. field: opt->offset bytes into the struct.
 * Errors begin with opt_label(opt).text.
 */
typedef struct err *opt_parse_fn(const struct opt *opt, const char *text, void *field);

struct opt {
	const char *name;    /* long name without dashes, never NULL */
	char letter;	     /* one-letter spelling, 0: none */
	const char *metavar; /* "DIR", "BYTES"; NULL: takes no value */
	const char
		*help; /* one short line, lower case, no full stop; NULL: accepted, but not shown */
	size_t offset; /* of the field in the command's option struct */
	opt_parse_fn *parse;	    /* one of those below, or the command's own */
	const char *const *choices; /* NULL-terminated words for opt_choice, else NULL */
};

/* A row per parser: the type of the field it fills. */
opt_parse_fn opt_flag;	   /* bool = true; "--x=false" (Go callers) makes it false */
opt_parse_fn opt_off;	   /* bool = false: --no-x where x is the default */
opt_parse_fn opt_bool;	   /* bool from yes/no, true/false, on/off, 1/0 */
opt_parse_fn opt_string;   /* const char *, borrowed; the last one wins */
opt_parse_fn opt_path;	   /* the same, refusing "" */
opt_parse_fn opt_strlist;  /* struct strlist, appended: a repeatable option; owned by the struct */
opt_parse_fn opt_u64;	   /* uint64_t */
opt_parse_fn opt_i64;	   /* int64_t */
opt_parse_fn opt_u32;	   /* uint32_t or unsigned int */
opt_parse_fn opt_bytes;	   /* uint64_t bytes, suffixes K M G T */
opt_parse_fn opt_bit_rate; /* uint64_t bits per second, suffixes K M G T */
opt_parse_fn opt_duration; /* uint64_t milliseconds: "500ms", "5s", "2m", "1h"; a bare number is
			      seconds */
opt_parse_fn opt_choice;   /* int: index into opt->choices */
opt_parse_fn opt_ignored;  /* no field: accepted for a caller's sake, does nothing */

/* A set of rows. */
struct opt_table {
	const struct opt *rows;
	size_t count;
};
#define OPT_TABLE(array)                   \
	{                                  \
		(array), ARRAY_SIZE(array) \
	}

/* What a walk over a command line finds: an option with its value, or an argument (opt NULL). */
struct opt_found {
	const struct opt *opt;
	const char *text; /* NULL: an option without a value */
	bool is_help;	  /* -h or --help, which every table has */
};

/*
 * One pass over a command line. Accepted: --name VALUE, --name=VALUE, -l VALUE, -lVALUE, -l=VALUE,
 * grouped flags (-abc), one dash before a long name (-no-subreaper, as Go's flag package allows),
 * and "--", after which everything is an argument.
 */
struct opt_walk {
	struct opt_table table;
	char *const *argv;    /* NULL-terminated; starts at the first word to look at */
	size_t stop_after;    /* options end once this many arguments were seen; 0: they may stand
				 anywhere */
	size_t at, args_seen; /* private */
	const char *group;    /* private: rest of -abc */
	bool only_arguments;  /* private */
};

/* The next option or argument; *ret_more is false at the end. ERR_INVALID: unknown option, missing
 * or unwanted value. */
MUST_CHECK struct err *opt_walk_next(struct opt_walk *walk, struct opt_found *ret_found,
				     bool *ret_more);

/* Arguments left when the options are taken out: NULL-terminated, words borrowed from argv. */
struct opt_args {
	const char **items; /* owned */
	size_t count;
};
void opt_args_release(struct opt_args *args);
static inline __attribute__((unused)) void own_opt_args(struct opt_args *args)
{
	opt_args_release(args);
}

/*
 * Walk to the end: values into opts (a struct laid out as the rows' offsets say, already holding
 * the defaults), the rest into *ret_args. The struct may be partly filled on error.
 */
MUST_CHECK struct err *opt_parse_all(struct opt_walk *walk, void *opts, struct opt_args *ret_args);
/* "--name", for error texts. */
struct opt_label {
	char text[48];
};
struct opt_label opt_label(const struct opt *opt);

#endif
