/* Linked into a runt that is to be profiled (instrument.ts), and into no other: `host.mark(number)` writes a number and
 * the time into a log, and so does each system call, when it begins and when it is over. The log is a file, mapped
 * shared, so that what is in it stays when the process goes on as another program, or dies. Each start has its own; it
 * has a slot for that process and for each of a few forks, which may be in a container already and open nothing. */
#include "engine.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1 << 17, SLOTS = 6 };
/* Numbers of functions are below this; system calls are above, at their beginning with their own number. */
enum { CALLS = 1 << 20, OVER = 1 << 21, FORKED = 1 << 22 };

struct event { int64_t time; uint32_t number, result; };

/* The whole log; behind the slots, how many of them are taken. */
struct log {
  struct event slots[SLOTS][EVENTS];
  unsigned taken;
};

static struct log *whole;
static struct event *events;
static unsigned count;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
void __real_define_host(JSContext *context);
void __wrap_define_host(JSContext *context);

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void put(uint32_t number, uint32_t result) {
  if (events == NULL || count == EVENTS) return;
  events[count++] = (struct event){now(), number, result};
}

static void open_log(void) {
  char path[] = MARKS "/0123456789abcdef";
  int64_t time = now();
  for (char *at = path + sizeof path - 2; *at != '/'; at--, time >>= 4) *at = "0123456789abcdef"[time & 15];
  long fd = __real_syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (__real_syscall(SYS_ftruncate, fd, sizeof *whole) == 0) {
    void *start = mmap(NULL, sizeof *whole, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
    if (start != MAP_FAILED) whole = start;
  }
  __real_syscall(SYS_close, fd);
}

static void take_slot(int64_t time, uint32_t first) {
  unsigned slot = whole == NULL ? SLOTS : __atomic_fetch_add(&whole->taken, 1, __ATOMIC_RELAXED);
  events = slot < SLOTS ? whole->slots[slot] : NULL;
  count = 0;
  if (events != NULL) events[count++] = (struct event){time, first, 0};
}

/* The first one opens the log. */
PRIMITIVE(mark) {
  if (freezing) return JS_UNDEFINED;
  if (whole == NULL) {
    int64_t time = now();
    open_log();
    take_slot(time, 0);
  }
  uint32_t number;
  if (JS_ToUint32(context, &number, arguments[0]) < 0) return JS_EXCEPTION;
  put(number, 0);
  return JS_UNDEFINED;
}

long __wrap_syscall(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  put(CALLS + (uint32_t)number, 0);
  long result = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  int error = errno;
  int forks = number == SYS_clone || number == SYS_clone3;
#ifdef SYS_fork
  forks = forks || number == SYS_fork || number == SYS_vfork;
#endif
  if (forks && result == 0) take_slot(now(), FORKED);
  else put(OVER + (uint32_t)number, (uint32_t)result);
  errno = error;
  return result;
}

void __wrap_define_host(JSContext *context) {
  __real_define_host(context);
  JSValue global = JS_GetGlobalObject(context), host = JS_GetPropertyStr(context, global, "host");
  define_function(context, host, "mark", mark, 1);
  JS_FreeValue(context, host);
  JS_FreeValue(context, global);
}
