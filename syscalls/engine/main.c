/* The entry: takes up the heap that was frozen into this executable and calls its main function. */
#include "engine.h"
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum {
  DEEPEST = 8 << 20, /* bytes of stack, where the limit allows more */
  SPARE = 64 << 10,  /* for the C functions at the end of it, which the engine does not count */
};

void print(const char *text) {
  for (size_t left = strlen(text); left > 0;) {
    long written = syscall(SYS_write, 2, text, left);
    if (written <= 0) return;
    text += written;
    left -= (size_t)written;
  }
}

void leave(int status) {
  for (;;) syscall(SYS_exit_group, status);
}

/* In the place of libc's (--wrap): the engine seeds Math.random with it, and two builds have to be the same. */
int __wrap_gettimeofday(struct timeval *now, void *zone);
int __wrap_gettimeofday(struct timeval *now, void *zone) {
  if (!freezing) return (int)syscall(SYS_gettimeofday, now, zone);
  *now = (struct timeval){0, 0};
  return 0;
}

static void print_value(JSContext *context, JSValueConst value) {
  const char *text = JS_ToCString(context, value);
  print(text == NULL ? "?" : text);
  print("\n");
  JS_FreeCString(context, text);
}

void print_exception(JSContext *context) {
  JSValue thrown = JS_GetException(context);
  print("runt: internal error: ");
  print_value(context, thrown);
  JSValue stack = JS_IsError(context, thrown) ? JS_GetPropertyStr(context, thrown, "stack") : JS_UNDEFINED;
  if (JS_IsString(stack)) print_value(context, stack);
  JS_FreeValue(context, stack);
  JS_FreeValue(context, thrown);
}

void adopt_stack(JSRuntime *runtime) {
  struct rlimit limit;
  size_t size = DEEPEST;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < size) size = limit.rlim_cur;
  /* Half of a very small one. 0 would be no limit at all. */
  JS_SetMaxStackSize(runtime, size > 2 * SPARE ? size - SPARE : size / 2 + 1);
  JS_UpdateStackTop(runtime);
}

int main(int count, char **arguments, char **environment) {
  if (IMAGE->runtime == NULL) return freeze_main == NULL ? 1 : freeze_main(count, arguments, environment);
  arena_leave_image();
  adopt_stack(IMAGE->runtime);
  set_arguments(arguments, environment);
  JSValue result = JS_Call(IMAGE->context, IMAGE->main, JS_UNDEFINED, 0, NULL);
  int status = 1;
  if (JS_IsException(result)) print_exception(IMAGE->context);
  else JS_ToInt32(IMAGE->context, &status, result);
  leave(status);
}
