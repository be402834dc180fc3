/* Observes which files of a project a command reads, whatever language it is written in.
 *
 * Room: fairway.pipeline. It is loaded into a step's processes by LD_PRELOAD, appends what it sees
 * to one file, and changes nothing that the program does. trace.py reads that file and judges;
 * here paths are only made absolute and those outside the project are dropped.
 *
 * A record is KIND PID TAB PATH NUL, appended by one write:
 *   R file opened for reading   A found absent   W file created or emptied   D folder listed
 *   S a program starts (told only where records stand already)
 *   U a program was started that this file cannot observe (static, set-user-id, or without it)
 *
 * Environment: FAIRWAY_TRACE (the file to append to), FAIRWAY_ROOT (the project's real path),
 * FAIRWAY_SKIP (paths within it that do not count, joined by colons). Linux with glibc or musl.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char trace_file[PATH_MAX], root[PATH_MAX], skip[4 * PATH_MAX];
static size_t root_length;
static int ready; /* 0 not yet looked, 1 observing, -1 nothing to observe */
static uint64_t seen[2048];

static void look(void) {
    const char *file = getenv("FAIRWAY_TRACE"), *top = getenv("FAIRWAY_ROOT");
    const char *not_counted = getenv("FAIRWAY_SKIP");
    if (!file || !top || strlen(file) >= PATH_MAX || strlen(top) >= PATH_MAX) {
        ready = -1;
        return;
    }
    strcpy(trace_file, file);
    strcpy(root, top);
    root_length = strlen(root);
    if (not_counted && strlen(not_counted) < sizeof skip) strcpy(skip, not_counted);
    ready = 1;
}

static int observing(void) {
    return (ready || (look(), 1)) && ready > 0;
}

static void emit(char kind, const char *path) {
    char record[PATH_MAX + 32];
    uint64_t hash = 1469598103934665603ULL ^ (uint64_t)kind;
    for (const char *c = path; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211ULL;
    if (seen[hash % 2048] == hash) return;
    int length = snprintf(record, sizeof record, "%c%d\t%s", kind, (int)getpid(), path);
    if (length < 0 || (size_t)length >= sizeof record) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, trace_file,
                            O_WRONLY | O_APPEND | O_CLOEXEC | (kind == 'S' ? 0 : O_CREAT), 0600);
    if (file < 0) return;
    if (syscall(SYS_write, file, record, (size_t)length + 1) == length + 1) {
        seen[hash % 2048] = hash;
    }
    syscall(SYS_close, file);
}

static int within(const char *path, const char *top, size_t length) {
    return length && !strncmp(path, top, length) && (path[length] == '/' || !path[length]);
}

static int counts(const char *path) {
    if (!within(path, root, root_length) || !path[root_length]) return path[0] && !strcmp(path, root);
    for (const char *start = skip; *start;) {
        size_t length = strcspn(start, ":");
        if (within(path, start, length)) return 0;
        start += length + (start[length] == ':');
    }
    return !strstr(path + root_length, "/.git/") && !strstr(path + root_length, "/.venv/");
}

/* Make a path absolute by text alone: no dot, no dot-dot, no double slash. 0 where it cannot. */
static int absolute(int folder, const char *path, char *out) {
    char whole[2 * PATH_MAX], link_name[40];
    size_t length = 0;
    if (!path || strlen(path) >= PATH_MAX) return 0;
    if (path[0] == '/') {
        strcpy(whole, path);
    } else {
        ssize_t n;
        if (folder == AT_FDCWD) {
            n = syscall(SYS_getcwd, whole, PATH_MAX) > 0 ? (ssize_t)strlen(whole) : -1;
        } else {
            snprintf(link_name, sizeof link_name, "/proc/self/fd/%d", folder);
            n = readlink(link_name, whole, PATH_MAX - 1);
        }
        if (n <= 0 || whole[0] != '/') return 0;
        whole[n] = '/';
        strcpy(whole + n + 1, path);
    }
    for (char *part = whole; *part;) {
        while (*part == '/') part++;
        size_t n = strcspn(part, "/");
        if (n == 2 && part[0] == '.' && part[1] == '.') {
            while (length && out[--length] != '/') {}
        } else if (n && !(n == 1 && part[0] == '.')) {
            if (length + n + 2 > PATH_MAX) return 0;
            out[length++] = '/';
            memcpy(out + length, part, n);
            length += n;
        }
        part += n;
    }
    if (!length) out[length++] = '/';
    out[length] = 0;
    return 1;
}

static void saw(char kind, int folder, const char *path, int file) {
    char name[PATH_MAX], link_name[40];
    if (absolute(folder, path, name) && counts(name)) {
        emit(kind, name);
    } else if (file >= 0) { /* reached from outside, through a link */
        snprintf(link_name, sizeof link_name, "/proc/self/fd/%d", file);
        ssize_t n = readlink(link_name, name, PATH_MAX - 1);
        if (n > 0) {
            name[n] = 0;
            if (counts(name)) emit(kind, name);
        }
    }
}

static void opened(int folder, const char *path, int flags, int file) {
    int error = errno;
    if (observing()) {
        if (file < 0) {
            if (error == ENOENT || error == ENOTDIR) saw('A', folder, path, -1);
        } else if (flags & O_DIRECTORY) {
            /* opendir and fdopendir tell of listings */
        } else if ((flags & O_TRUNC) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
            saw('W', folder, path, file);
        } else if ((flags & O_ACCMODE) != O_WRONLY) {
            saw('R', folder, path, file);
        }
    }
    errno = error;
}

static void missed(int folder, const char *path, int result) {
    int error = errno;
    if (result < 0 && (error == ENOENT || error == ENOTDIR) && path && path[0] && observing()) {
        saw('A', folder, path, -1);
    }
    errno = error;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define MODE(last) \
    mode_t mode = 0; \
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) { \
        va_list rest; \
        va_start(rest, last); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        MODE(flags) \
        REAL(name); \
        int file = real(path, flags, mode); \
        opened(AT_FDCWD, path, flags, file); \
        return file; \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        MODE(flags) \
        REAL(name); \
        int file = real(folder, path, flags, mode); \
        opened(folder, path, flags, file); \
        return file; \
    }
#define FOPEN(name) \
    FILE *name(const char *path, const char *how) { \
        REAL(name); \
        FILE *file = real(path, how); \
        int plus = how && strchr(how, '+') != NULL; \
        int flags = !how || how[0] == 'r' ? (plus ? O_RDWR : O_RDONLY) \
                    : how[0] == 'w'       ? O_WRONLY | O_CREAT | O_TRUNC \
                                          : (plus ? O_RDWR : O_WRONLY) | O_CREAT; \
        opened(AT_FDCWD, path, flags, file ? fileno(file) : -1); \
        return file; \
    }
#define STAT(name, kind) \
    int name(const char *restrict path, struct kind *restrict about) { \
        REAL(name); \
        int result = real(path, about); \
        missed(AT_FDCWD, path, result); \
        return result; \
    }

OPEN(open)
OPENAT(openat)
FOPEN(fopen)
STAT(stat, stat)
STAT(lstat, stat)
#ifdef __GLIBC__
OPEN(open64)
OPENAT(openat64)
FOPEN(fopen64)
STAT(stat64, stat64)
STAT(lstat64, stat64)

/* What the compiler calls instead under _FORTIFY_SOURCE. */
#define OPEN_2(name) \
    int name(const char *path, int flags); \
    int name(const char *path, int flags) { \
        REAL(name); \
        int file = real(path, flags); \
        opened(AT_FDCWD, path, flags, file); \
        return file; \
    }
#define OPENAT_2(name) \
    int name(int folder, const char *path, int flags); \
    int name(int folder, const char *path, int flags) { \
        REAL(name); \
        int file = real(folder, path, flags); \
        opened(folder, path, flags, file); \
        return file; \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)
#endif

#define STATAT(name, type, about_type) \
    int name(int folder, const char *restrict path, type about_type about, int flags) { \
        REAL(name); \
        int result = real(folder, path, about, flags); \
        missed(folder, path, result); \
        return result; \
    }
STATAT(fstatat, struct stat, *restrict)
STATAT(faccessat, int, )
#ifdef __GLIBC__
STATAT(fstatat64, struct stat64, *restrict)
#endif

int access(const char *path, int how) {
    REAL(access);
    int result = real(path, how);
    missed(AT_FDCWD, path, result);
    return result;
}

static void listed(int folder, const char *path, int file, DIR *list) {
    int error = errno;
    if (observing()) {
        if (list) {
            saw('D', folder, path, file);
        } else if (error == ENOENT || error == ENOTDIR) {
            saw('A', folder, path, -1);
        }
    }
    errno = error;
}

DIR *opendir(const char *path) {
    REAL(opendir);
    DIR *list = real(path);
    listed(AT_FDCWD, path, list ? dirfd(list) : -1, list);
    return list;
}

DIR *fdopendir(int file) {
    REAL(fdopendir);
    DIR *list = real(file);
    if (list) listed(file, ".", file, list);
    return list;
}

#define SCANDIR(name, kind) \
    int name(const char *restrict path, struct kind ***restrict names, \
             int (*filter)(const struct kind *), \
             int (*compare)(const struct kind **, const struct kind **)) { \
        REAL(name); \
        int n = real(path, names, filter, compare); \
        int error = errno; \
        if (n >= 0 && observing()) saw('D', AT_FDCWD, path, -1); \
        errno = error; \
        missed(AT_FDCWD, path, n); \
        return n; \
    }
SCANDIR(scandir, dirent)
#ifdef __GLIBC__
SCANDIR(scandir64, dirent64)
#endif

/* ---- programs that are started: would this file be loaded into them? ---- */

static int is_dynamic(int file) {
    char head[4096];
    ssize_t n = syscall(SYS_pread64, file, head, sizeof head, 0);
    if (n >= 2 && head[0] == '#' && head[1] == '!') return 1; /* a script opens itself */
    if (n < (ssize_t)sizeof(ElfW(Ehdr)) || memcmp(head, ELFMAG, SELFMAG)) return 1;
    ElfW(Ehdr) *elf = (ElfW(Ehdr) *)head;
    if (elf->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)) return 0;
    for (int i = 0; i < elf->e_phnum; i++) {
        size_t at = elf->e_phoff + (size_t)i * sizeof(ElfW(Phdr));
        if (at + sizeof(ElfW(Phdr)) > (size_t)n) break;
        if (((ElfW(Phdr) *)(head + at))->p_type == PT_INTERP) return 1;
    }
    return 0;
}

static void started(const char *path, char *const envp[], int search) {
    int error = errno, found = 0;
    if (!observing() || !path) return;
    for (char *const *name = envp; name && *name; name++) {
        if (!strncmp(*name, "FAIRWAY_TRACE=", 14)) found |= 1;
        if (!strncmp(*name, "LD_PRELOAD=", 11)) found |= 2;
    }
    char whole[PATH_MAX];
    const char *list = getenv("PATH");
    int file = -1;
    if (strchr(path, '/') || !search || !list) {
        file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    }
    for (; file < 0 && search && !strchr(path, '/') && list && *list;) {
        int n = (int)strcspn(list, ":");
        snprintf(whole, sizeof whole, "%.*s/%s", n, list, path);
        file = (int)syscall(SYS_openat, AT_FDCWD, whole, O_RDONLY | O_CLOEXEC, 0);
        list += n + (list[n] == ':');
    }
    if (file >= 0) {
        struct stat about;
        int special = !syscall(SYS_fstat, file, &about) && (about.st_mode & (S_ISUID | S_ISGID));
        if (found != 3 || special || !is_dynamic(file)) emit('U', path);
        syscall(SYS_close, file);
    }
    errno = error;
}

#define EXEC(name, search) \
    int name(const char *path, char *const argv[]) { \
        REAL(name); \
        started(path, environ, search); \
        return real(path, argv); \
    }
#define EXECE(name, search) \
    int name(const char *path, char *const argv[], char *const envp[]) { \
        REAL(name); \
        started(path, envp, search); \
        return real(path, argv, envp); \
    }
#define SPAWN(name, search) \
    int name(pid_t *restrict pid, const char *restrict path, \
             const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *restrict how, \
             char *const argv[restrict], char *const envp[restrict]) { \
        REAL(name); \
        started(path, envp, search); \
        return real(pid, path, actions, how, argv, envp); \
    }
EXEC(execv, 0)
EXEC(execvp, 1)
EXECE(execve, 0)
EXECE(execvpe, 1)
SPAWN(posix_spawn, 0)
SPAWN(posix_spawnp, 1)

/* ---- what the loader itself opened: the program and its libraries ---- */

static int object(struct dl_phdr_info *about, size_t size, void *unused) {
    (void)size, (void)unused;
    if (about->dlpi_name && about->dlpi_name[0] == '/') saw('R', AT_FDCWD, about->dlpi_name, -1);
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    char name[PATH_MAX];
    int error = errno;
    if (observing()) {
        ssize_t n = readlink("/proc/self/exe", name, sizeof name - 1);
        name[n > 0 ? n : 0] = 0;
        emit('S', name);
        if (counts(name)) emit('R', name);
        dl_iterate_phdr(object, NULL);
    }
    errno = error;
}

__attribute__((destructor)) static void end(void) {
    if (observing()) dl_iterate_phdr(object, NULL); /* also what was loaded later */
}
