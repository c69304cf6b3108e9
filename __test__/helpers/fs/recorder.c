/* Stands between a program and its file system: records the calls that change or make durable what
 * lies under a folder, and makes chosen ones fail. Loaded with LD_PRELOAD.
 *
 * EAS_UNDER   the folder
 * EAS_RECORD  the file that calls are added to, one a line: NAME PATH [PATH]
 * EAS_FAIL    calls that fail: NAME ERRNO, for example "fsync 5"
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static __thread int is_inside;

static const char *under(void) { return getenv("EAS_UNDER"); }

static int concerns(const char *path) {
  const char *folder = under();
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

/* Says whether the call is to fail, with errno set; records it if not. */
static int refuse(const char *name, const char *path, const char *other) {
  if (is_inside || !(concerns(path) || concerns(other))) return 0;
  const char *failing = getenv("EAS_FAIL");
  char failing_name[32];
  int number;
  if (failing && sscanf(failing, "%31s %d", failing_name, &number) == 2 &&
      strcmp(failing_name, name) == 0) {
    errno = number;
    return 1;
  }
  return 0;
}

static void record(const char *name, const char *path, const char *other) {
  if (is_inside || !(concerns(path) || concerns(other))) return;
  const char *file = getenv("EAS_RECORD");
  if (!file) return;
  int saved = errno;
  is_inside = 1;
  int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0) {
    /* One write is one line, whatever thread it comes from. */
    char line[2 * PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s%s%s\n", name, path, other ? " " : "",
                          other ? other : "");
    ssize_t written = write(fd, line, (size_t)length);
    (void)written;
    close(fd);
  }
  is_inside = 0;
  errno = saved;
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int saved = errno;
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  errno = saved;
  if (length < 0) return NULL;
  buffer[length] = 0;
  return buffer;
}

#define NEXT(type, name)         \
  static __typeof__(type) *next; \
  if (!next) next = (__typeof__(type) *)dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *bytes, size_t count) {
  NEXT(ssize_t (int, const void *, size_t), "write");
  char buffer[PATH_MAX];
  const char *path = is_inside || !under() ? NULL : path_of(fd, buffer);
  if (path && refuse("write", path, NULL)) return -1;
  ssize_t written = next(fd, bytes, count);
  if (path && written >= 0) record("write", path, NULL);
  return written;
}

#define SYNC(name)                                            \
  int name(int fd) {                                          \
    NEXT(int (int), #name);                                \
    char buffer[PATH_MAX];                                    \
    const char *path = under() ? path_of(fd, buffer) : NULL;  \
    if (path && refuse("fsync", path, NULL)) return -1;       \
    int outcome = next(fd);                                   \
    if (path && outcome == 0) record("fsync", path, NULL);    \
    return outcome;                                           \
  }
SYNC(fsync)
SYNC(fdatasync)

#define TWO_PATHS(name)                               \
  int name(const char *from, const char *to) {        \
    NEXT(int (const char *, const char *), #name); \
    if (refuse(#name, from, to)) return -1;           \
    int outcome = next(from, to);                     \
    if (outcome == 0) record(#name, from, to);        \
    return outcome;                                   \
  }
TWO_PATHS(rename)
TWO_PATHS(link)

#define ONE_PATH(name)                         \
  int name(const char *path) {                 \
    NEXT(int (const char *), #name);        \
    if (refuse(#name, path, NULL)) return -1;  \
    int outcome = next(path);                  \
    if (outcome == 0) record(#name, path, NULL); \
    return outcome;                            \
  }
ONE_PATH(unlink)
ONE_PATH(rmdir)

int mkdir(const char *path, mode_t mode) {
  NEXT(int (const char *, mode_t), "mkdir");
  if (refuse("mkdir", path, NULL)) return -1;
  int outcome = next(path, mode);
  if (outcome == 0) record("mkdir", path, NULL);
  return outcome;
}
