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
  for (long written; *text != 0; text += written)
    if ((written = syscall(SYS_write, 2, text, strlen(text))) <= 0) return;
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

void print_exception(JSContext *context) {
  JSValue thrown = JS_GetException(context);
  JSValue stack = JS_IsObject(thrown) ? JS_GetPropertyStr(context, thrown, "stack") : JS_UNDEFINED;
  const char *text = JS_ToCString(context, thrown), *where = JS_ToCString(context, stack);
  print("runt: internal error: ");
  print(text == NULL ? "?" : text);
  print("\n");
  if (where != NULL && JS_IsString(stack)) print(where);
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
  adopt_stack(IMAGE->runtime);
  set_arguments(arguments, environment);
  JSValue result = JS_Call(IMAGE->context, IMAGE->main, JS_UNDEFINED, 0, NULL);
  int status = 1;
  if (JS_IsException(result)) print_exception(IMAGE->context);
  else JS_ToInt32(IMAGE->context, &status, result);
  leave(status);
}
