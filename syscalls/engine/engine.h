/* What the parts of the host share. The host runs one program: TypeScript that was loaded and evaluated when runt was
 * built, and whose heap is a section of this executable. It holds no policy and knows nothing of containers. */
#ifndef RUNT_ENGINE_H
#define RUNT_ENGINE_H

#include <quickjs/quickjs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* arena.c: the memory of the JavaScript heap. */

/* What the image begins with: all that the next start needs to go on with it. Zeros in a host without an image. */
struct image {
  JSRuntime *runtime;
  JSContext *context;
  JSValue main; /* a function from nothing to the exit status */
};
extern char arena_start[];
#define IMAGE ((struct image *)arena_start)

extern const JSMallocFunctions arena_functions;
/* While an image is made nothing may look at the machine. */
extern bool freezing;
/* One word for each block in the order in which they are made: where it is to lie, as a distance from arena_start, or 0
 * for wherever there is room; as soon as it is made, where it lies. NULL when no image is made. */
extern uint32_t *arena_places;
/* The first word is how many bytes at the beginning are for blocks whose places are given; the others are these places. */
void arena_begin_image(uint32_t *places);
/* The image's length in bytes, a multiple of the page size. From here on memory comes from the kernel. */
size_t arena_end_image(void);
_Noreturn void out_of_memory(void);

/* main.c: tells the engine where this start's stack is, and how deep it may become. */
void adopt_stack(JSRuntime *runtime);
/* To standard error. */
void print(const char *text);
/* What was thrown, with its stack. */
void print_exception(JSContext *context);
_Noreturn void leave(int status);

/* primitives.c: makes the object `host`. */
void define_host(JSContext *context);
void set_arguments(char **arguments, char **environment);
#define UNUSED __attribute__((unused))
#define PRIMITIVE(name) \
  static JSValue name(JSContext *context, UNUSED JSValueConst this, UNUSED int count, UNUSED JSValueConst *arguments)
void define_function(JSContext *context, JSValueConst object, const char *name, JSCFunction *function, int arity);
/* True, and a TypeError thrown, while an image is made. */
bool forbidden(JSContext *context, const char *primitive);
struct bytes {
  uint8_t *start; /* NULL where there are none */
  size_t length;
};
/* Those of a typed array. False, and a TypeError thrown, for anything else and for a buffer that is detached. */
bool bytes_of(JSContext *context, JSValueConst value, struct bytes *bytes);

/* seccomp.c: libseccomp's functions as members of `host`. */
void define_seccomp(JSContext *context, JSValueConst host);

/* freeze.c: only in the host that the build uses; the executable that is shipped cannot load a program. */
int freeze_main(int count, char **arguments, char **environment) __attribute__((weak));
#endif
