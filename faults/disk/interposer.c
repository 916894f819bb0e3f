/* LD_PRELOAD: logs, in one order, what a process writes to files below RECORD_PREFIX and when it waits for the disk;
 * and makes trouble there, when the harness asks for it.
 *
 * TROUBLE names a file of 16 bytes that the harness maps too: int64 nanoseconds that CLOCK_REALTIME is ahead, int32
 * the errno of writes, int32 the errno of syncs (0: none). What fails is not logged.
 *
 * A record: char kind, uint32 name length, name, uint64 offset, uint64 length, then for 'w' the bytes.
 * Kinds: w write, t truncate (length), s sync, u unlink. The record is in the log before the call returns, so what a
 * caller acknowledges later stands behind it. Nothing is changed about the calls themselves.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES 4096
static char *names[FILES];
static int log_file = -1;
static const char *prefix;
static size_t prefix_length;
struct trouble {
    volatile int64_t ahead;
    volatile int32_t write_error, sync_error;
};
static struct trouble none;
static struct trouble *trouble = &none;
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_open)(const char *, int, ...);
static int (*real_open64)(const char *, int, ...);
static int (*real_close)(int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_ftruncate64)(int, off64_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_open = dlsym(RTLD_NEXT, "open");
    real_open64 = dlsym(RTLD_NEXT, "open64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_ftruncate64 = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    prefix = getenv("RECORD_PREFIX");
    prefix_length = prefix ? strlen(prefix) : 0;
    const char *log = getenv("RECORD_LOG"), *shared = getenv("TROUBLE");
    if (log) log_file = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int file = shared ? real_open(shared, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        void *mapped = mmap(NULL, sizeof *trouble, PROT_READ, MAP_SHARED, file, 0);
        if (mapped == MAP_FAILED) abort();
        trouble = mapped;
        real_close(file);
    }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = real_clock_gettime(clock, now);
    int64_t ahead = clock == CLOCK_REALTIME ? trouble->ahead : 0;
    if (!result && ahead) {
        int64_t all = now->tv_sec * 1000000000LL + now->tv_nsec + ahead;
        now->tv_sec = all / 1000000000LL;
        now->tv_nsec = all % 1000000000LL;
    }
    return result;
}

static int followed(const char *name) {
    size_t length = name ? strlen(name) : 0;
    /* The -shm file is rebuilt after a crash and never synced; the server's lock file holds nothing. */
    return prefix && length > 7 && length >= prefix_length && !strncmp(name, prefix, prefix_length)
        && strcmp(name + length - 4, "-shm") && strcmp(name + length - 7, "-server");
}

static void record(char kind, const char *name, uint64_t offset, uint64_t length, const void *bytes) {
    uint32_t size = strlen(name);
    if (log_file < 0) return;
    size_t body = bytes ? length : 0, total = 1 + 4 + size + 16 + body;
    char *all = malloc(total), *at = all;
    if (!all) abort();
    *at++ = kind;
    memcpy(at, &size, 4), at += 4;
    memcpy(at, name, size), at += size;
    memcpy(at, &offset, 8), at += 8;
    memcpy(at, &length, 8), at += 8;
    if (body) memcpy(at, bytes, body);
    for (size_t done = 0; done < total;) {
        ssize_t wrote = real_write(log_file, all + done, total - done);
        if (wrote < 0 && errno != EINTR) abort();
        if (wrote > 0) done += wrote;
    }
    free(all);
}

static void opened(int file, const char *name) {
    if (file < 0 || file >= FILES || !name) return;
    char full[PATH_MAX];
    if (followed(realpath(name, full) ? full : name)) {
        free(names[file]);
        names[file] = strdup(realpath(name, full) ? full : name);
    }
}

#define OPEN(function)                                                    \
    int function(const char *name, int flags, ...) {                      \
        mode_t mode = 0;                                                  \
        if (flags & (O_CREAT | O_TMPFILE)) {                              \
            va_list rest;                                                 \
            va_start(rest, flags);                                        \
            mode = va_arg(rest, mode_t);                                  \
            va_end(rest);                                                 \
        }                                                                 \
        int file = real_##function(name, flags, mode);                    \
        opened(file, name);                                               \
        return file;                                                      \
    }
OPEN(open)
OPEN(open64)

int close(int file) {
    if (file >= 0 && file < FILES && names[file]) {
        free(names[file]);
        names[file] = NULL;
    }
    return real_close(file);
}

static const char *name_of(int file) { return file >= 0 && file < FILES ? names[file] : NULL; }

#define LOGGED(call, kind, offset, length, bytes)                         \
    const char *name = name_of(file);                                     \
    if (!name) return call;                                               \
    int failing = kind == 's' ? trouble->sync_error : trouble->write_error; \
    if (failing) return errno = failing, -1;                              \
    pthread_mutex_lock(&order);                                           \
    __typeof__(call) result = call;                                       \
    if (result >= 0) record(kind, name, offset, length, bytes);           \
    pthread_mutex_unlock(&order);                                         \
    return result

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    LOGGED(real_pwrite(file, bytes, count, offset), 'w', offset, result, bytes);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    LOGGED(real_pwrite64(file, bytes, count, offset), 'w', offset, result, bytes);
}
ssize_t write(int file, const void *bytes, size_t count) {
    off_t offset = name_of(file) ? lseek(file, 0, SEEK_CUR) : 0;
    LOGGED(real_write(file, bytes, count), 'w', offset, result, bytes);
}
int fsync(int file) { LOGGED(real_fsync(file), 's', 0, 0, NULL); }
int fdatasync(int file) { LOGGED(real_fdatasync(file), 's', 0, 0, NULL); }
int ftruncate(int file, off_t length) { LOGGED(real_ftruncate(file, length), 't', 0, length, NULL); }
int ftruncate64(int file, off64_t length) { LOGGED(real_ftruncate64(file, length), 't', 0, length, NULL); }

int unlink(const char *name) {
    char full[PATH_MAX];
    const char *whole = realpath(name, full) ? full : name;
    if (!followed(whole)) return real_unlink(name);
    pthread_mutex_lock(&order);
    int result = real_unlink(name);
    if (!result) record('u', whole, 0, 0, NULL);
    pthread_mutex_unlock(&order);
    return result;
}
