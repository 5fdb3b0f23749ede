/*
 * The process that stays beside a running VPS, as small as a process can be: a static program that
 * waits for init's end and serves the console, and knows nothing else. Whatever needs knowledge is
 * done by cella: it starts the VPS, becomes cella-monitor by execve(2), and cella-monitor becomes
 * cella again when init has ended. Init stays a child of the process all the while, its lock stays
 * held, and each execve takes the programs that are installed by then.
 *
 *   cella start ----fork----> starts the VPS ---exec---> cella-monitor ---exec---> cella
 * monitor-end ^                                                   |
 *                                 '------------- reboot, autorestart -----------------'
 */
#ifndef RUNTIME_MONITOR_MONITOR_H
#define RUNTIME_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* --- between the two programs --- */

/* The descriptors that cella-monitor is born with. Standard error is its log. */
enum monitor_fd {
	MONITOR_FD_LOCK = 3, /* held while a process watches the VPS; cella gets it back */
	MONITOR_FD_INIT,     /* pidfd */
	MONITOR_FD_CONSOLE,  /* the pty's master; may be missing */
	MONITOR_FD_LISTEN,   /* the console's socket */
	MONITOR_FD_LOG_DIR,
	MONITOR_FD_VPS_LOCK, /* the VPS's lock, which others take; it and the next may be missing */
	MONITOR_FD_STATE,    /* what the engine remembers of the start: a directory */
	MONITOR_FD_END,
};

/* Words after its name: the program to become at the end, then what that one is told. */
enum monitor_arg {
	MONITOR_ARG_CELLA = 1,
	MONITOR_ARG_NAME,
	MONITOR_ARG_PID,	 /* of init on the host */
	MONITOR_ARG_START_TICKS, /* of init */
	MONITOR_ARG_RESTARTS,	 /* in a row, each soon after the last */
	MONITOR_ARG_LOOK_S,	 /* seconds between errands; 0: none */
	MONITOR_ARG_COUNT
};

/* "cella monitor-end NAME PID START-TICKS RESTARTS ENDING"; ENDING is "unknown", "reboot", "halt",
 * "exit-N" or "signal-N". */
#define MONITOR_END_VERB "monitor-end"
#define MONITOR_ENDING_MAX 24
/* How init ended, from waitid(2); never its child: "unknown". Source: pid_namespaces(7) on
 * reboot(2): SIGHUP after a restart, SIGINT after halt and power-off. */
void monitor_ending(int init_pidfd, char text[MONITOR_ENDING_MAX]);

/*
 * Init has ended: is there nothing left to do, as somebody who held the VPS's lock has cleaned up?
 * Waits while the lock is held. False: nobody holds it, so it is for cella to see to the end.
 */
bool monitor_is_relieved(int vps_lock_fd, int state_fd);

/* --- the console's socket --- */

/* SOCK_SEQPACKET. From a client: the kind, then its data. To a client: the console's bytes. */
enum console_message { CONSOLE_INPUT = 'i', CONSOLE_WINDOW_SIZE = 'w' /* struct winsize */ };
#define CONSOLE_MESSAGE_MAX 4096

/* --- what was written last (ring.c) --- */

#define RING_BYTES 16384

struct ring {
	char data[RING_BYTES];
	uint64_t total_bytes; /* ever written */
};
void ring_add(struct ring *ring, const char *data, size_t len);
/* What is left of it, oldest first, as one or two pieces. Old text that lost its beginning starts
 * after its first line break. */
struct ring_piece {
	const char *data;
	size_t len;
};
void ring_pieces(const struct ring *ring, struct ring_piece ret_pieces[2]);

/* --- the log: at most two files of CONSOLE_LOG_BYTES (log.c) --- */

#define CONSOLE_LOG_BYTES (256 << 10)
#define CONSOLE_LOG_NAME_MAX 160

struct console_log {
	int dir_fd; /* borrowed */
	char name[CONSOLE_LOG_NAME_MAX], old_name[CONSOLE_LOG_NAME_MAX];
	int fd; /* -1: none can be written */
	uint64_t len_bytes;
};
#define CONSOLE_LOG_INIT               \
	{                              \
		.dir_fd = -1, .fd = -1 \
	}
MUST_CHECK struct err *console_log_open(int dir_fd, const char *vps, struct console_log *ret_log);
void console_log_close(struct console_log *log);
/* Append; a full disk loses output and nothing else. */
void console_log_add(struct console_log *log, const char *data, size_t len);
/* Its end into the ring. */
void console_log_recall(const struct console_log *log, struct ring *ring);

/* --- the console and who looks at it (console.c) --- */

#define CONSOLE_CLIENTS_MAX 8

struct console {
	int master_fd, listen_fd; /* -1: none */
	/* Our own end of the pty: without anybody who has it open, every poll would report a
	 * hang-up. */
	int slave_fd;
	struct {
		int fd;	   /* -1: free */
		bool lost; /* output that it was too slow for */
	} clients[CONSOLE_CLIENTS_MAX];
	struct ring ring;
	struct console_log log;
};
void console_init(struct console *console, int master_fd, int listen_fd);
void console_close(struct console *console);
/* Output of the VPS, until there is none: to the log, the ring and all clients. */
void console_read(struct console *console);
void console_accept(struct console *console);
/* A message of client i, or its end. */
void console_serve(struct console *console, size_t i);
/* A hang-up, as vhangup(2) of a getty makes one: open our end anew. False: there is none any more.
 */
bool console_revive(struct console *console);

/* --- the errand (errand.c) --- */

/* "cella monitor-look NAME" every few minutes: it makes durable what the VPS has sent and received,
 * and looks whether that is too much. */
#define MONITOR_LOOK_VERB "monitor-look"
#define MONITOR_LOOK_MAX_S 86400

struct errand {
	const char *cella; /* borrowed, as name is */
	char *name;
	int64_t every_ms, next_ms;
};
void errand_init(struct errand *errand, const char *cella, char *name, int64_t every_s);
/* Run it if it is due. Milliseconds to the next one, for poll(2). */
int errand_run(struct errand *errand);

/* --- the life --- */

/* Serve until init has ended. */
void monitor_watch(int init_pidfd, struct console *console, struct errand *errand);

#endif
