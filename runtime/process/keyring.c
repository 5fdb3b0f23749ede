/* A session keyring of the container's own, so that the caller's keys cannot be reached: keyctl(2),
 * session-keyring(7). */
#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"
#include "runtime/process/process.h"
#include "runtime/process/procfs.h"

#define KEY_USR_SEARCH 0x00080000U /* KEY_USR_SEARCH of the kernel's linux/key.h */

/* From "keyring;0;0;3f130000;_ses.ID" of KEYCTL_DESCRIBE. */
static struct err *read_permissions(long keyring, uint32_t *ret_permissions)
{
	char text[512]; /* type;uid;gid;perm;description, and ours is at most 128 bytes */
	long len = syscall(SYS_keyctl, KEYCTL_DESCRIBE, keyring, text, sizeof(text) - 1, 0);
	const char *field = text;

	if (len < 0)
		return err_sys(errno, "describe the session keyring");
	text[len < (long)sizeof(text) ? len : (long)sizeof(text) - 1] = '\0';
	for (int i = 0; i < 3 && field; i++) {
		field = strchr(field, ';');
		field = field ? field + 1 : NULL;
	}
	if (!field)
		return err_new(ERR_INVALID, "the session keyring describes itself as '%.64s'",
			       text);
	*ret_permissions = (uint32_t)strtoul(field, NULL, 16);
	return NULL;
}

/* A process that changed its user must still find the keys of the session. */
static struct err *allow_search(long keyring)
{
	uint32_t permissions;

	TRY(read_permissions(keyring, &permissions));
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, permissions | KEY_USR_SEARCH, 0, 0) < 0)
		return err_sys(errno, "set the permissions of the session keyring");
	return NULL;
}

static struct err *join(const char *name)
{
	long keyring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);

	if (keyring < 0 && errno == ENOSYS)
		return NULL; /* a kernel without keys has none to protect */
	if (keyring < 0)
		return err_sys(errno, "join session keyring %s", name);
	return allow_search(keyring);
}

struct err *process_join_keyring(const char *id, const char *selinux_label)
{
	static const char create_label[] = "thread-self/attr/keycreate";
	OWN(str) char *name = NULL;
	struct err *err;

	TRY(str_format(&name, "_ses.%s", id));
	if (!selinux_label || !*selinux_label)
		return join(name);
	/* new keys carry the container's label; afterwards back to the policy's own choice */
	TRY(err_wrap(procfs_write(create_label, selinux_label), "label the session keyring"));
	err = join(name);
	return err_first(err, err_wrap(procfs_write(create_label, "\n"), "label keys as before"));
}
