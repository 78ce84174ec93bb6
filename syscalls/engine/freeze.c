/* The build's half of the host, which is not in the executable that is shipped:
 *     host freeze BUNDLE IMAGE PLACES     loads and evaluates the bundle and writes its heap, ready for main
 *     host run BUNDLE [ARG...]            evaluates it and its promises as a program: the unit tests
 * It calls the kernel by syscall(2) alone: another function of the C library, linked in here and not there, would move
 * the functions that the heap points to. */
#include "engine.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void fail(const char *what) { print(what), leave(1); }

/* A module without the text that it was compiled from: names and lines stay for the stacks of errors. */
static uint8_t *compile(const char *path, size_t *size) {
  long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  long end = fd < 0 ? -1 : syscall(SYS_lseek, fd, 0L, SEEK_END);
  /* One byte more, a NUL, as the parser wants it. */
  char *source = (char *)syscall(SYS_mmap, 0L, end + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L);
  if (end < 0 || syscall(SYS_pread64, fd, source, end, 0L) != end) fail("host: the bundle cannot be read\n");
  JSRuntime *runtime = JS_NewRuntime();
  JSContext *context = JS_NewContext(runtime);
  JS_SetStripInfo(runtime, JS_STRIP_SOURCE);
  JSValue module = JS_Eval(context, source, (size_t)end, "runt", JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
  uint8_t *bytecode = JS_IsException(module) ? NULL : JS_WriteObject(context, size, module, JS_WRITE_OBJ_BYTECODE);
  if (bytecode != NULL) return bytecode;
  print_exception(context);
  leave(1);
}

/* Without eval: nothing in the image can make code of text. */
static JSContext *new_context(void) {
  JSRuntime *runtime = JS_NewRuntime2(&arena_functions, NULL);
  adopt_stack(runtime);
  JSContext *context = JS_NewContextRaw(runtime);
  JS_AddIntrinsicBaseObjects(context);
  JS_AddIntrinsicDate(context);
  JS_AddIntrinsicStringNormalize(context);
  JS_AddIntrinsicRegExpCompiler(context);
  JS_AddIntrinsicRegExp(context);
  JS_AddIntrinsicJSON(context);
  JS_AddIntrinsicProxy(context);
  JS_AddIntrinsicMapSet(context);
  JS_AddIntrinsicTypedArrays(context);
  JS_AddIntrinsicPromise(context);
  define_host(context);
  return context;
}

/* Evaluates the module and whatever its promises still have to do. */
static void evaluate(JSContext *context, const uint8_t *bytecode, size_t size) {
  JSValue module = JS_ReadObject(context, bytecode, size, JS_READ_OBJ_BYTECODE), promise = JS_EXCEPTION;
  JSContext *other;
  int more = 1;
  if (!JS_IsException(module) && JS_ResolveModule(context, module) == 0) promise = JS_EvalFunction(context, module);
  while (!JS_IsException(promise) && more > 0) more = JS_ExecutePendingJob(JS_GetRuntime(context), &other);
  if (more == 0 && JS_PromiseState(context, promise) == JS_PROMISE_REJECTED)
    promise = JS_Throw(context, JS_PromiseResult(context, promise));
  if (more == 0 && !JS_IsException(promise)) return JS_FreeValue(context, promise);
  print_exception(context);
  leave(1);
}

/* The runtime remembers where its stack was, which is another place each time; the next start tells it anew. */
static void forget_stack(JSRuntime *runtime) {
  uintptr_t *word = (uintptr_t *)runtime, here = (uintptr_t)__builtin_frame_address(0);
  for (size_t left = arena_functions.js_malloc_usable_size(runtime) / sizeof *word; left > 0; left--, word++)
    if (*word - (here - (16u << 20)) < (32u << 20)) *word = 0;
}

static void freeze(const char *bundle, const char *path, const char *places_path) {
  size_t size;
  uint8_t *bytecode = compile(bundle, &size);
  long fd = syscall(SYS_openat, AT_FDCWD, places_path, O_RDWR | O_CLOEXEC, 0), end = syscall(SYS_lseek, fd, 0L, SEEK_END);
  if (fd < 0 || end <= 0) fail("host: the places of blocks cannot be read\n");
  arena_begin_image((uint32_t *)syscall(SYS_mmap, 0L, end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L));
  JSContext *context = new_context();
  JSRuntime *runtime = JS_GetRuntime(context);
  evaluate(context, bytecode, size);
  JSValue global = JS_GetGlobalObject(context), entry = JS_GetPropertyStr(context, global, "main");
  if (!JS_IsFunction(context, entry)) fail("host: the bundle has no function main\n");
  JS_FreeValue(context, global);
  JS_RunGC(runtime);
  /* The collector visits the whole heap, and so copies it: for what runs long, or reads very much. */
  JS_SetGCThreshold(runtime, 32 << 20);
  forget_stack(runtime);
  IMAGE->runtime = runtime;
  IMAGE->context = context;
  IMAGE->main = entry;
  fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  long length = (long)arena_end_image();
  if (syscall(SYS_write, fd, arena_start, length) != length) fail("host: the image cannot be written\n");
}

static void run(const char *bundle, char **arguments, char **environment) {
  size_t size;
  uint8_t *bytecode = compile(bundle, &size);
  set_arguments(arguments, environment);
  evaluate(new_context(), bytecode, size);
}

int freeze_main(int count, char **arguments, char **environment) {
  if (count == 5 && strcmp(arguments[1], "freeze") == 0) freeze(arguments[2], arguments[3], arguments[4]);
  else if (count >= 3 && strcmp(arguments[1], "run") == 0) run(arguments[2], arguments + 2, environment);
  else fail("host: freeze BUNDLE IMAGE PLACES | run BUNDLE [ARG...]\n");
  return 0;
}
