/* stopwatch SCHEDULE RESULTS ERRORS: starts programs and says how long they took, from just before posix_spawn until
 * the process has been waited for. A small C program because its own part is the same few microseconds each time, it
 * has no other threads, and its few pages do not count as the resident memory of what it starts.
 *
 * Each line of the schedule is a word and what belongs to it, with a tab between:
 *     run ARG...     starts the program and waits for it; it has to end with 0
 *     tty ARG...     the same with a terminal as its three standard streams, not as its controlling one
 *     quiet ARG...   the same as run, without a result
 *     wait FILE      until the process whose id is in FILE is gone
 *     pool COUNT     so many of the `run` lines up to the line `end` at a time; one result for all of them
 * Each result is a line: start, duration (nanoseconds of CLOCK_MONOTONIC), largest resident set (KiB), minor and major
 * page faults, user and system time (microseconds). The last five are those of wait4(2), of the process with all that
 * it has waited for itself. Like a shim it takes up the processes that others leave, and reaps them at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 256, SLOTS = 256, LINE_TIMEOUT = 300 /* seconds for each line */ };

struct result { int64_t start, duration; struct rusage usage; };

static int errors, terminal = -1;
static FILE *results;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static _Noreturn void fail(const char *what, const char *object, int value) {
  fprintf(stderr, "%s %s: %d\n", what, object, value);
  exit(1);
}

/* A terminal whose other end nobody reads: what is measured writes nothing. */
static int peer_of_new_terminal(void) {
  int unlocked = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0) fail("open", "/dev/ptmx", errno);
  return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static pid_t start(char **argv, int on_terminal) {
  extern char **environ;
  pid_t pid;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (on_terminal) {
    if (terminal < 0) terminal = peer_of_new_terminal();
    for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_adddup2(&actions, terminal, fd);
  } else {
    posix_spawn_file_actions_adddup2(&actions, errors, 2); /* 0 and 1 are /dev/null already */
  }
  int error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail("spawn", argv[0], error);
  return pid;
}

/* The next of ours to end, and what it used; whatever else ends meanwhile is reaped. */
static pid_t reap(const pid_t *ours, unsigned count, struct rusage *usage, int *status) {
  for (;;) {
    pid_t pid = wait4(-1, status, 0, usage);
    if (pid < 0 && errno != EINTR) fail("wait4", "", errno);
    for (unsigned i = 0; i < count; i++)
      if (pid == ours[i]) return pid;
  }
}

static void succeed(char **argv, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  for (; *argv != NULL; argv++) fprintf(stderr, "%s ", *argv);
  fail("ended with status", "", status);
}

static struct result once(char **argv, int on_terminal) {
  struct result result;
  int status;
  result.start = now();
  pid_t pid = start(argv, on_terminal);
  reap(&pid, 1, &result.usage, &status);
  result.duration = now() - result.start;
  succeed(argv, status);
  return result;
}

static void print(const struct result *r) {
  const struct rusage *u = &r->usage;
  int64_t user = u->ru_utime.tv_sec * 1000000LL + u->ru_utime.tv_usec;
  int64_t kernel = u->ru_stime.tv_sec * 1000000LL + u->ru_stime.tv_usec;
  fprintf(results, "%" PRId64 " %" PRId64 " %ld %ld %ld %" PRId64 " %" PRId64 "\n", r->start, r->duration,
          u->ru_maxrss, u->ru_minflt, u->ru_majflt, user, kernel);
}

/* Cuts a line into words; the first is the kind. */
static char **words_of(char *line) {
  char **words = calloc(ARGUMENTS + 1, sizeof *words);
  unsigned count = 0;
  line[strcspn(line, "\n")] = 0;
  for (char *word = strtok(line, "\t"); word != NULL && count < ARGUMENTS; word = strtok(NULL, "\t"))
    words[count++] = word;
  return words;
}

static void pool(unsigned width, FILE *schedule) {
  char *line = NULL;
  size_t size = 0;
  unsigned count = 0, room = 0;
  char ***jobs = NULL;
  while (getline(&line, &size, schedule) > 0 && strcmp(line, "end\n") != 0) {
    if (count == room) jobs = realloc(jobs, (room = room * 2 + 64) * sizeof *jobs);
    jobs[count++] = words_of(strdup(line)) + 1;
  }
  pid_t pids[SLOTS] = {0};
  char **running[SLOTS] = {0};
  struct result sum = {.start = now()};
  if (width > SLOTS) fail("pool", "", (int)width);
  for (unsigned next = 0, left = count; left > 0;) {
    for (unsigned slot = 0; slot < width && next < count; slot++)
      if (pids[slot] == 0) pids[slot] = start(running[slot] = jobs[next++], 0);
    struct rusage usage;
    int status;
    pid_t pid = reap(pids, width, &usage, &status);
    left--;
    for (unsigned slot = 0; slot < width; slot++)
      if (pids[slot] == pid) {
        succeed(running[slot], status);
        pids[slot] = 0;
      }
    if (usage.ru_maxrss > sum.usage.ru_maxrss) sum.usage.ru_maxrss = usage.ru_maxrss;
    sum.usage.ru_minflt += usage.ru_minflt;
    sum.usage.ru_majflt += usage.ru_majflt;
    timeradd(&sum.usage.ru_utime, &usage.ru_utime, &sum.usage.ru_utime);
    timeradd(&sum.usage.ru_stime, &usage.ru_stime, &sum.usage.ru_stime);
  }
  sum.duration = now() - sum.start;
  print(&sum);
}

static void wait_for(const char *file) {
  int pid = 0;
  FILE *f = fopen(file, "re");
  if (f == NULL || fscanf(f, "%d", &pid) != 1) fail("read", file, errno);
  fclose(f);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {} /* ECHILD: it has been reaped already */
}

int main(int count, char **arguments) {
  if (count != 4) fail("usage:", "stopwatch SCHEDULE RESULTS ERRORS", count);
  FILE *schedule = fopen(arguments[1], "re");
  results = fopen(arguments[2], "we");
  errors = open(arguments[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (schedule == NULL || results == NULL || errors < 0 || nothing < 0) fail("open", arguments[1], errno);
  dup2(nothing, 0);
  dup2(nothing, 1);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, schedule) > 0) {
    alarm(LINE_TIMEOUT);
    char **words = words_of(line), *kind = words[0];
    if (kind == NULL) continue;
    if (strcmp(kind, "wait") == 0) wait_for(words[1]);
    else if (strcmp(kind, "pool") == 0) pool((unsigned)atoi(words[1]), schedule);
    else {
      struct result result = once(words + 1, strcmp(kind, "tty") == 0);
      if (strcmp(kind, "quiet") != 0) print(&result);
    }
    free(words);
  }
  return fclose(results) == 0 ? 0 : 1;
}
